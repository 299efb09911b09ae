package core

// actorOption is [By]: an option of whatever a person, or a program for one, does to an execution or a task.
type actorOption string

// By names who asked for it; it is kept. Default: nobody is named.
func By(actor string) actorOption { return actorOption(actor) }

func (o actorOption) toReplay(s *replaySettings) { s.actor = string(o) }
func (o actorOption) toCancel(s *cancelSettings) { s.actor = string(o) }
