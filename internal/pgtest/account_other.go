//go:build !unix

package pgtest

import "syscall"

func (a *account) attributes() *syscall.SysProcAttr { return nil }
