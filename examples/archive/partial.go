package main

import (
	"os"
	"path/filepath"
	"runtime"
)

// partial is a file that is being written. It lies aside until it is complete and then gets its name in one step, so
// that whoever finds a file under its name finds all of it, whenever the process is killed.
type partial struct {
	file    *os.File
	written int64
}

// partials is the folder where they lie, on the same file system as what they become.
func partials(dest string) string { return filepath.Join(dest, ".partial") }

func createPartial(dest string) (*partial, error) {
	if err := os.MkdirAll(partials(dest), 0o777); err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(partials(dest), "*")
	if err != nil {
		return nil, err
	}
	return &partial{file: file}, nil
}

// Write implements [io.Writer].
func (p *partial) Write(b []byte) (int, error) {
	n, err := p.file.Write(b)
	p.written += int64(n)
	return n, err
}

// keep gives the file its name. It is on the disk then: what the database says is done must be there even after a
// power cut. Nobody but its owner may read it, since the file that it was made from may be private.
func (p *partial) keep(name string) error {
	folder := filepath.Dir(name)
	if err := p.file.Sync(); err != nil {
		return err
	}
	if err := p.file.Close(); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	if err := os.Rename(p.file.Name(), name); err != nil {
		return err
	}
	return syncFolder(folder)
}

// discard removes the file, unless it was kept.
func (p *partial) discard() {
	_ = p.file.Close()
	_ = os.Remove(p.file.Name()) // if it stays, removePartials finds it
}

// removePartials removes what processes that were killed have left behind.
func removePartials(dest string) error { return os.RemoveAll(partials(dest)) }

// syncFolder has the names in a folder on the disk.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" { // where folders cannot be synced, and need not be
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}
