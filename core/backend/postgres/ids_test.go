package postgres

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestKeysTellIDsApart(t *testing.T) {
	const uuid = "0190a5d2-7c1b-7e9c-8f00-0123456789ab"
	if k := keyOf(uuid); k.String() != uuid || aliasOf(uuid).Valid {
		t.Errorf("key of %s is %s", uuid, k)
	}
	seen := map[key]string{}
	for _, id := range []string{
		uuid, strings.ToUpper(uuid), "{" + uuid + "}", "urn:uuid:" + uuid, strings.ReplaceAll(uuid, "-", ""), uuid + "0", uuid[:35],
		strings.Replace(uuid, "a", "g", 1), "order-42", "order-43", "", strings.Repeat("x", 255), "日本",
	} {
		k := keyOf(id)
		if before, there := seen[k]; there {
			t.Errorf("%q and %q have the same key", before, id)
		}
		seen[k] = id
		if alias := aliasOf(id); id != uuid && (!alias.Valid || alias.String != id || k.String()[14] != '8') {
			t.Errorf("key of %q is %s, alias %v", id, k, alias)
		}
	}
}

func TestPrefixes(t *testing.T) {
	for _, x := range []struct {
		prefix, first, last string
		ok                  bool
	}{
		{"0190a5d2-7", "0190a5d2-7000-0000-0000-000000000000", "0190a5d2-7fff-ffff-ffff-ffffffffffff", true},
		{"0190a5d2", "0190a5d2-0000-0000-0000-000000000000", "0190a5d2-ffff-ffff-ffff-ffffffffffff", true},
		{"order-", "", "", false},
		{"0190A", "", "", false},
		{strings.Repeat("0", 99), "", "", false},
	} {
		first, last, ok := prefixKeys(x.prefix)
		if ok != x.ok || ok && (first.String() != x.first || last.String() != x.last) {
			t.Errorf("%s: %s to %s, %v", x.prefix, first, last, ok)
		}
	}
}

func TestKeysOfHistoriesArePackedWithoutLoss(t *testing.T) {
	for _, x := range []struct{ key, packed string }{
		{"charge#1", "#1"}, {"charge", "charge"}, {"charge-42", "charge-42"}, {"charge##", "##"}, {"#1", `\#1`}, {`\#1`, `\\#1`}, {"", ""}, {"other#1", "other#1"},
	} {
		if got := packKey("charge", x.key); got != x.packed || unpackKey("charge", got) != x.key {
			t.Errorf("%q is packed as %q and unpacked as %q", x.key, got, unpackKey("charge", got))
		}
	}
}

func TestArraysAreText(t *testing.T) {
	for _, x := range []struct {
		list []string
		want string
	}{{nil, ""}, {[]string{"a", ""}, `{"a",""}`}, {[]string{`"`, `\`, "{},"}, `{"\"","\\","{},"}`}} {
		if got := array(x.list); got != x.want {
			t.Errorf("%q is %s, want %s", x.list, got, x.want)
		}
	}
}

func TestNotesGoAtOnceWhileTheyAreFew(t *testing.T) {
	p, now := notePace, time.Now()
	send := func() (waited time.Duration) {
		if waited = max(p.wait(now), 0); waited > 0 {
			now = now.Add(waited)
		}
		p.went(now)
		return waited
	}
	for n := range 1000 { // one every five milliseconds
		if waited := send(); waited > 0 {
			t.Fatalf("note %d of a few waits for %v", n, waited)
		}
		now = now.Add(5 * time.Millisecond)
	}
	begun, sent := now, 0
	for ; now.Sub(begun) < time.Second; sent++ { // as many as may go
		if waited := send(); waited > 0 && sent < p.burst {
			t.Errorf("note %d of a crowd waits for %v", sent, waited)
		}
	}
	if most := int(time.Second/p.every) + p.burst; sent > most {
		t.Errorf("%d notes in a second, want at most %d", sent, most)
	}
}

func TestNotesRideWhileTransactionsAreShortAndNoNoteWaits(t *testing.T) {
	n, now := newNotifier(nil), time.Now()
	for i := range notePace.burst {
		if !n.mayRide(now) {
			t.Fatalf("note %d does not ride", i)
		}
	}
	if n.mayRide(now) {
		t.Error("more notes ride at once than may be sent")
	}
	now = now.Add(time.Second)
	n.running = make(chan struct{})
	if n.mayRide(now) {
		t.Error("a note overtakes those that wait")
	}
	n.running = nil
	n.took(rideFor)
	if n.mayRide(now) {
		t.Error("a note rides where transactions take long")
	}
	if n.took(rideFor - 1); !n.mayRide(now) {
		t.Error("no note rides again where they no longer do")
	}
	n.failed(now)
	if n.mayRide(now.Add(ridePause - 1)) {
		t.Error("a note rides soon after a transaction failed with one")
	}
	if !n.mayRide(now.Add(ridePause)) {
		t.Error("no note rides again")
	}
}

// Programs of before know queues alone, and do not tell lanes.
func TestNotesTellLanesAndToOldProgramsQueues(t *testing.T) {
	now := time.Now().UTC()
	due := lane{Queue: "billing", Step: "charge", Rank: -3}
	var n news
	n.dueIn(due, time.Time{})
	n.written(now)
	text := n.encode("me")
	var old struct{ Queues []string }
	if err := json.Unmarshal([]byte(text), &old); err != nil || !slices.Equal(old.Queues, []string{"billing"}) {
		t.Errorf("an old program reads the queues %v of %s: %v", old.Queues, text, err)
	}
	if _, got := decodeNote(text); len(got.queues) > 0 || !got.lanes[due].Equal(now.Add(-laneSlack)) {
		t.Errorf("%+v of %s", got, text)
	}
	riding := news{lanes: map[lane]time.Time{due: {}}}
	text = strings.TrimSuffix(riding.encode("me"), "}") + `,"since":"2026-12-01T10:00:00.25+02:00"}`
	if _, got := decodeNote(text); !got.lanes[due].Equal(time.Date(2026, 12, 1, 8, 0, 0, 250e6, time.UTC)) {
		t.Errorf("%+v of %s", got, text)
	}
	if _, got := decodeNote(`{"queues":["billing"]}`); !got.queues["billing"] || len(got.lanes) > 0 {
		t.Errorf("of an old program's note: %+v", got)
	}
	n.due("other")
	if _, got := decodeNote(n.encode("me")); !got.queues["billing"] || !got.queues["other"] || len(got.lanes) > 0 {
		t.Errorf("where not all lanes are known: %+v", got)
	}
	n = news{}
	for i := range fewLanes + 1 {
		n.dueIn(lane{Queue: "q", Step: fmt.Sprint(i)}, now)
	}
	if _, got := decodeNote(n.encode("me")); !got.queues["q"] || len(got.lanes) > 0 {
		t.Errorf("of many lanes: %+v", got)
	}
}

func TestNotesThatDoNotFitConcernEverybody(t *testing.T) {
	var n news
	n.due("billing")
	n.wake(7)
	n.done = true
	from, got := decodeNote(n.encode("me"))
	if from != "me" || !got.queues["billing"] || !got.workers[7] || !got.done || got.free {
		t.Errorf("%+v from %q", got, from)
	}
	for range 100 {
		n.due(strings.Repeat("x", 100+len(n.queues)))
	}
	if text := n.encode("me"); len(text) > maxNote {
		t.Errorf("a note of %d bytes", len(text))
	} else if _, got := decodeNote(text); !got.free || !got.done || !got.cut {
		t.Errorf("%+v", got)
	}
	if _, got := decodeNote("nonsense"); !got.free || !got.cut {
		t.Errorf("%+v", got)
	}
}
