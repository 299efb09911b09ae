package core

import (
	"encoding/json"
	"fmt"
)

// Codec turns inputs and results into bytes and back. The default is JSON. It must be safe for concurrent use. What it
// writes is shown by the console as text where it is JSON.
type Codec interface {
	Encode(v any) ([]byte, error)
	Decode(data []byte, v any) error
}

type jsonCodec struct{}

func (jsonCodec) Encode(v any) ([]byte, error)    { return json.Marshal(v) }
func (jsonCodec) Decode(data []byte, v any) error { return json.Unmarshal(data, v) }

// payloads encodes with a limit. Errors are coded and final: the same value will not encode the next time either.
type payloads struct {
	codec Codec
	limit int
}

// encode gives the bytes of a value. what and name tell in an error what it is about, and are put together only then.
func (p payloads) encode(what, name string, v any) ([]byte, error) {
	data, err := p.codec.Encode(v)
	if err != nil {
		return nil, payloadError("%s%s: %T does not encode: %w", what, name, v, err)
	}
	return data, p.fits(what, name, data)
}

// encodeInput also gives a hash of the value by which a changed input is noticed. It is taken before the codec, since one
// that encrypts gives other bytes every time.
func (p payloads) encodeInput(what, name string, v any) ([]byte, int64, error) {
	data, err := p.encode(what, name, v)
	if err != nil {
		return nil, 0, err
	}
	plain := data
	if _, isJSON := p.codec.(jsonCodec); !isJSON {
		if plain, err = json.Marshal(v); err != nil {
			plain = nil // only JSON's shape is used, for want of another canonical one; no hash, no check
		}
	}
	return data, hash(plain), nil
}

func (p payloads) fits(what, name string, data []byte) error {
	if len(data) <= p.limit {
		return nil
	}
	return payloadError("%s%s: %d bytes are more than the limit of %d: store the data elsewhere and pass a "+
		"reference, or raise the limit with core.WithPayloadLimit", what, name, len(data), p.limit)
}

func (p payloads) decode(what, name string, data []byte, v any) error {
	if len(data) == 0 {
		return nil // nothing was stored: the zero value
	}
	if err := p.codec.Decode(data, v); err != nil {
		return payloadError("%s%s: %s does not decode into %T: %w", what, name, oneLine(string(data), 60), v, err)
	}
	return nil
}

func payloadError(format string, args ...any) error {
	return NonRetryable(&codedError{CodePayload, fmt.Errorf(format, args...)})
}

// hash is FNV-1a of 64 bits; 0 means that there is none. It guards against mistakes, not against an adversary.
func hash(data []byte) int64 {
	if data == nil {
		return 0
	}
	const offset, prime = 14695981039346656037, 1099511628211 // see hash/fnv, whose hashes are on the heap
	h := uint64(offset)
	for _, b := range data {
		h = (h ^ uint64(b)) * prime
	}
	return int64(h)
}
