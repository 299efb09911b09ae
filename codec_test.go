package stent_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/core"
)

// sealed is a core.Codec that encrypts: JSON within AES-GCM, with a fresh nonce in front. A key that is changed needs a
// codec that tries the old one as well.
type sealed struct{ cipher.AEAD }

func newSealed(key []byte) (sealed, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealed{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return sealed{aead}, err
}

func (s sealed) Encode(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return s.Seal(nil, nil, data, nil), nil
}

func (s sealed) Decode(data []byte, v any) error {
	data, err := s.Open(nil, nil, data, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

func TestPayloadsCanBeEncryptedByACodec(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		const secret = "the-horse-is-a-staple"
		key := make([]byte, 32)
		_, _ = rand.Read(key)
		codec, err := newSealed(key)
		if err != nil {
			t.Fatal(err)
		}
		act := core.NewActivity[string, string]("act")
		sig := core.NewSignal[string]("sig")
		wf := core.NewWorkflow[string, string]("wf")
		e, err := core.New(w.open(), core.WithCodec(codec))
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Register(
			act.Handle(func(ctx context.Context, s string) (string, error) { return s, core.Heartbeat(ctx, s) }),
			wf.Handle(func(flow *core.Flow, s string) (string, error) {
				if _, err := core.SideEffect(flow, "kept", func() string { return s }); err != nil {
					return "", err
				}
				if _, err := sig.Receive(flow); err != nil {
					return "", err
				}
				return act.Call(flow, s)
			}),
		); err != nil {
			t.Fatal(err)
		}
		p := (&program{Engine: e, w: w, stop: func() {}}).serve(core.WorkerConfig{})
		run := start(p, wf, secret)
		send := sig.Send(w.ctx(), p.Engine, run.ID(), secret)
		if got := wait(p, run); got != secret || send != nil {
			t.Fatalf("%q, %v", got, send)
		}
		p.stop()
		everything := w.dump()
		if !strings.Contains(everything, run.ID()) {
			t.Fatal("the dump lacks even the execution's id")
		}
		for _, form := range []string{secret, hex.EncodeToString([]byte(secret))} {
			if strings.Contains(everything, form) {
				t.Errorf("the database holds the payload: %s", form)
			}
		}
	})
}

// dump is all that the database holds.
func (w *world) dump() string {
	w.Helper()
	if w.backend == "sqlite" {
		var all bytes.Buffer
		for _, suffix := range []string{"", "-wal"} {
			data, err := os.ReadFile(w.address + suffix)
			if err != nil && !os.IsNotExist(err) {
				w.Fatal(err)
			}
			all.Write(data)
		}
		return all.String()
	}
	conn, err := pgx.Connect(w.ctx(), w.address)
	if err != nil {
		w.Fatal(err)
	}
	defer conn.Close(w.ctx())
	if _, err := conn.Exec(w.ctx(), "SET xmlbinary = hex"); err != nil {
		w.Fatal(err)
	}
	var text string
	if err := conn.QueryRow(w.ctx(), "SELECT schema_to_xml('stent', true, false, '')::text").Scan(&text); err != nil {
		w.Fatal(err)
	}
	return strings.ToLower(text)
}
