package core

import (
	"runtime/debug"
	"sync"
)

// Version is the version of Stent that the program was built with, as "v1.2.3"; "(devel)" in a checkout of it, and
// "unknown" where the program was built without modules.
var Version = sync.OnceValue(func() string {
	const module = "github.com/stentgo/stent"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if info.Main.Path == module && info.Main.Version != "" {
		return info.Main.Version
	}
	for _, dep := range info.Deps {
		if dep.Path == module {
			if dep.Replace != nil && dep.Replace.Version != "" {
				return dep.Replace.Version
			}
			return dep.Version
		}
	}
	return "(devel)"
})
