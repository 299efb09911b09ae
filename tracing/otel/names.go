package otel

import "sync"

// names are those of spans, each made once: a program has few workflows and activities.
type names struct{ dispatch, execute, turn prefixed }

// prefixed are the names that begin in the same way.
type prefixed struct {
	prefix string
	mu     sync.RWMutex
	made   map[string]string
}

func (p *prefixed) of(what string) string {
	p.mu.RLock()
	name, ok := p.made[what]
	p.mu.RUnlock()
	if ok {
		return name
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.made == nil {
		p.made = map[string]string{}
	}
	name = p.prefix + what
	p.made[what] = name
	return name
}
