//go:build !linux

package parts

import "os/exec"

// startTogether starts a program that is left over if this process is killed.
func startTogether(cmd *exec.Cmd) error { return cmd.Start() }
