package postgres

import (
	"bytes"
	"crypto/sha256"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"
)

// key is an execution's id as it is stored: 16 bytes, since it is in every index.
type key = pgtype.UUID

// keyOf gives the key of an id. The canonical form of a UUID, as the engine makes them, is the key itself. Any other id
// is hashed into a UUID of version 8 (RFC 9562, section 5.8), and has to be kept beside it.
func keyOf(id string) key {
	if u, ok := parseUUID(id); ok {
		return key{Bytes: u, Valid: true}
	}
	sum := sha256.Sum256([]byte(id))
	k := key{Bytes: [16]byte(sum[:16]), Valid: true}
	k.Bytes[6] = k.Bytes[6]&0x0f | 0x80
	k.Bytes[8] = k.Bytes[8]&0x3f | 0x80
	return k
}

// aliasOf is what is kept of an id beside its key; nothing if the key tells it.
func aliasOf(id string) pgtype.Text {
	if _, ok := parseUUID(id); ok {
		return pgtype.Text{}
	}
	return pgtype.Text{String: id, Valid: true}
}

// parseUUID reads the canonical form alone: another form of the same UUID is another id.
func parseUUID(s string) (u [16]byte, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return u, false
	}
	at := 0
	for i := range u {
		if s[at] == '-' {
			at++
		}
		high, low := digit(s[at]), digit(s[at+1])
		if high|low > 15 {
			return [16]byte{}, false
		}
		u[i] = high<<4 | low
		at += 2
	}
	return u, true
}

// digit is the value of a hexadecimal digit, and more than 15 for anything else.
func digit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	}
	return 16
}

// prefixKeys are the first and the last key whose canonical form begins so; ok is false if there is none.
func prefixKeys(prefix string) (first, last key, ok bool) {
	const lowest, highest = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"
	if len(prefix) > len(lowest) {
		return first, last, false
	}
	low, ok := parseUUID(prefix + lowest[len(prefix):])
	if !ok {
		return first, last, false
	}
	high, _ := parseUUID(prefix + highest[len(prefix):])
	return key{Bytes: low, Valid: true}, key{Bytes: high, Valid: true}, true
}

func compareKeys(a, b key) int { return bytes.Compare(a.Bytes[:], b.Bytes[:]) }

// Most keys of a history are the step's name and an ordinal, "charge#1"; then only "#1" is stored. A key that begins
// with # by itself, or with the backslash that says so, gets a backslash in front.

func packKey(step, k string) string {
	if rest, ok := strings.CutPrefix(k, step); ok && strings.HasPrefix(rest, "#") {
		return rest
	}
	if strings.HasPrefix(k, "#") || strings.HasPrefix(k, `\`) {
		return `\` + k
	}
	return k
}

func unpackKey(step, k string) string {
	if strings.HasPrefix(k, "#") {
		return step + k
	}
	return strings.TrimPrefix(k, `\`)
}
