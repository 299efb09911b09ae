package postgres_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/internal/pgtest"
)

// BenchmarkWorkflows runs workflows, 100 in flight, as the engine does: one commit a step for all.
func BenchmarkWorkflows(b *testing.B) {
	for _, activities := range []int{0, 1, 5} {
		b.Run(fmt.Sprint(activities), func(b *testing.B) {
			m := newMill(b, pgtest.DSN(b))
			b.ReportAllocs()
			for b.Loop() {
				m.workflows(100, activities)
			}
			b.ReportMetric(float64(b.N*100)/b.Elapsed().Seconds(), "workflows/s")
		})
	}
}

// BenchmarkStart starts executions, from 1 and from 3 connections.
func BenchmarkStart(b *testing.B) {
	for _, n := range []int{1, 100, 2000} {
		for _, conns := range []int{1, 3} {
			b.Run(fmt.Sprintf("%d/%d", n, conns), func(b *testing.B) {
				m := newMill(b, pgtest.DSN(b))
				for b.Loop() {
					var wg sync.WaitGroup
					for range conns {
						wg.Go(func() {
							commands := make([]backend.Command, n)
							for j := range commands {
								commands[j] = newStart(newID())
							}
							m.commit(commands...)
						})
					}
					wg.Wait()
				}
				b.ReportMetric(float64(b.N*n*conns)/b.Elapsed().Seconds(), "starts/s")
			})
		}
	}
}

// BenchmarkClaim claims one task and gives it back, with many others in the tables.
func BenchmarkClaim(b *testing.B) {
	const many = 100_000
	for _, x := range []struct {
		name string
		fill func(s *backend.Start)
	}{
		{"empty", nil},
		{"sleeping", func(s *backend.Start) { s.Delay = time.Hour }},
		{"strange", func(s *backend.Start) { s.Workflow = "strange" }},
		{"tagged", func(s *backend.Start) { s.Tags = []string{"gpu"} }},
		{"due", func(*backend.Start) {}},
	} {
		b.Run(x.name, func(b *testing.B) {
			m := newMill(b, pgtest.DSN(b))
			if x.fill != nil {
				m.fill(many, x.fill)
			}
			first := newStart(newID())
			first.Priority = 1
			m.commit(first)
			for b.Loop() {
				t := m.claim(1)[0]
				m.commit(&backend.Release{Task: t.ID, Token: t.Token})
			}
		})
	}
}

func (m *mill) fill(n int, fill func(s *backend.Start)) {
	for range n / 2000 {
		commands := make([]backend.Command, 2000)
		for j := range commands {
			s := newStart(newID())
			fill(s)
			commands[j] = s
		}
		m.commit(commands...)
	}
}
