package cli

// pageSize is how many records are read at once, so that a long list does not hold up the database.
const pageSize = 500

// pages reads up to limit records, page after page; last is the record that the page follows, nil for the first.
func pages[T any](limit int, read func(size int, last *T) ([]T, error)) ([]T, error) {
	var (
		all  []T
		last *T
	)
	for {
		size := min(limit-len(all), pageSize)
		page, err := read(size, last)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < size || len(all) >= limit {
			return all, nil
		}
		last = &all[len(all)-1]
	}
}
