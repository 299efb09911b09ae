package postgres

import "github.com/jackc/pgx/v5/pgtype"

// vector is a parameter for unnest.
//
// The driver asks an array for its elements as values of type any. An element that is not a pointer is then copied to the
// heap, for each parameter of each row that is written; a vector answers with pointers to its elements, of types that the
// driver's codecs read directly.
type vector[V any] []V

var _ pgtype.ArrayGetter = vector[int32](nil)

// column makes a vector with one value of each item.
func column[T, V any](items []T, value func(T) V) vector[V] {
	c := make(vector[V], len(items))
	for i, item := range items {
		c[i] = value(item)
	}
	return c
}

// Dimensions is NULL for nil.
func (v vector[V]) Dimensions() []pgtype.ArrayDimension {
	if v == nil {
		return nil
	}
	return []pgtype.ArrayDimension{{Length: int32(len(v)), LowerBound: 1}}
}

// Index is the element at i, and IndexType one of the same type.
func (v vector[V]) Index(i int) any { return readable(&v[i]) }

func (v vector[V]) IndexType() any { return readable(new(V)) }

// readable is the same pointer with a type that a codec knows. Those of pgtype are known as they are.
func readable(p any) any {
	switch p := p.(type) {
	case *string:
		return (*textElement)(p)
	case *[]byte:
		return (*bytesElement)(p)
	case *int64:
		return (*int64Element)(p)
	case *int32:
		return (*int32Element)(p)
	case *bool:
		return *p // of which there are two, on no heap
	case *float64:
		return *p
	}
	return p
}

type (
	textElement  string
	bytesElement []byte
	int64Element int64
	int32Element int32
)

func (e *textElement) TextValue() (pgtype.Text, error) {
	return pgtype.Text{String: string(*e), Valid: true}, nil
}

func (e *bytesElement) BytesValue() ([]byte, error) { return *e, nil }

func (e *int64Element) Int64Value() (pgtype.Int8, error) {
	return pgtype.Int8{Int64: int64(*e), Valid: true}, nil
}

func (e *int32Element) Int64Value() (pgtype.Int8, error) {
	return pgtype.Int8{Int64: int64(*e), Valid: true}, nil
}
