package postgres

import (
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/stentgo/stent/core/backend"
)

// rankOf is a priority with its sign changed, so that what comes first has the lowest.
func rankOf(priority int) int32 {
	return int32(-min(max(int64(priority), math.MinInt32+1), math.MaxInt32))
}

// text is a string as it is stored where "" is NULL.
func text[S ~string](s S) pgtype.Text { return pgtype.Text{String: string(s), Valid: s != ""} }

// array is a list as the text of an array, as tags are stored; an empty one is "".
func array(list []string) string {
	if len(list) == 0 {
		return ""
	}
	var b strings.Builder
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	for i, s := range list {
		b.WriteByte("{,"[min(i, 1)])
		b.WriteByte('"')
		_, _ = quote.WriteString(&b, s)
		b.WriteByte('"')
	}
	b.WriteByte('}')
	return b.String()
}

// dict is a map as it is stored; an empty one is NULL.
func dict(m map[string]string) pgtype.Text {
	if len(m) == 0 {
		return pgtype.Text{}
	}
	return pgtype.Text{String: backend.EncodeDict(m), Valid: true}
}

// failure is a failure as it is stored. JSON says in ASCII what PostgreSQL's text cannot hold.
func failure(f *backend.Failure) pgtype.Text {
	if f == nil {
		return pgtype.Text{}
	}
	return pgtype.Text{String: encode(f), Valid: true}
}

// encode is for values that always have a JSON form.
func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings, numbers, and lists and maps of them
	}
	return string(b)
}

// clean takes out what PostgreSQL's text cannot hold.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// moment is a time as it is stored; the zero time is NULL.
func moment(t time.Time) pgtype.Timestamptz { return pgtype.Timestamptz{Time: t, Valid: !t.IsZero()} }

// number is a token or a count as it is stored. What does not fit belongs to nothing that is stored.
func number[N ~int | ~int64](n N) int32 {
	if int64(n) > math.MaxInt32 || int64(n) < math.MinInt32 {
		return math.MinInt32
	}
	return int32(n)
}
