// Package watch is the full screen of `stent watch`: how a database stands, drawn anew every second, with keys to look
// closer, to replay and to cancel.
//
// feed.go reads the database, history.go keeps what was read for the sparklines, model.go decides what happens at a key
// or at a reading, and view.go draws; lists.go, detail.go and ask.go are the parts of the screen.
package watch
