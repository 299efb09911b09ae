package parts

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// starting is a thread that starts programs and never ends: Linux ends a program with the thread that started it, where
// that is asked for, and so with this process, also if that is killed.
var starting = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for do := range work {
			do()
		}
	}()
	return work
})

func startTogether(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	result := make(chan error)
	starting() <- func() { result <- cmd.Start() }
	return <-result
}
