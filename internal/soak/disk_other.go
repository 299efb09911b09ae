//go:build unix && !linux

package main

import "errors"

// disk is a small one in memory that can be filled up.
type disk struct{ dir string }

func newDisk(int64) (*disk, error) { return nil, errors.New("only on Linux") }
func (d *disk) close() error       { return nil }
func (d *disk) fill() error        { return nil }
func (d *disk) free() error        { return nil }
