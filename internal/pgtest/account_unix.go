//go:build unix

package pgtest

import "syscall"

// attributes start a process as the account, in a session of its own that a Ctrl-C in the terminal does not reach.
func (a *account) attributes() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setsid: true}
	if a != nil {
		attr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return attr
}
