package core

// By names who asked for something: a replay, a discard, a cancellation, a pause. It is kept; see [Engine.Audit]. Default:
// nobody is named. What is longer than 255 bytes is cut off.
func By(actor string) actorOption { return actorOption(storable(actor, maxName)) }

type actorOption string

func (o actorOption) toAct(s *operation)         { s.actor = string(o) }
func (o actorOption) toReplay(s *operation)      { s.actor = string(o) }
func (o actorOption) toBulk(s *operation)        { s.actor = string(o) }
func (o actorOption) toBulkReplay(s *operation)  { s.actor = string(o) }
func (o actorOption) toCancel(s *cancelSettings) { s.actor = string(o) }
