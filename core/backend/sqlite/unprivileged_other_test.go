//go:build !unix

package sqlite_test

import "testing"

func unprivileged(t *testing.T) bool {
	t.Skip("it is about the permissions of Unix files")
	return false
}
