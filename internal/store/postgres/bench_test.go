package postgres_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/store/postgres"
	"github.com/wattgate/wattgate/internal/store/postgres/postgrestest"
)

// BenchmarkRecord is many who record acts at the same time, on a server that
// keeps them; they come to one node, or to three that take turns.
func BenchmarkRecord(b *testing.B) {
	for _, nodes := range []int{1, 3} {
		b.Run(fmt.Sprintf("nodes=%d", nodes), func(b *testing.B) {
			url := postgrestest.Durable(b).URL(b)
			stores := make([]*postgres.Store, nodes)
			for i := range stores {
				stores[i] = open(b, url, options())
			}
			var n atomic.Int64
			b.SetParallelism(64)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i := n.Add(1)
					e := domain.Entry{ID: fmt.Sprintf("aud_%012d", i), At: noon, Action: "bench", By: "test"}
					if err := stores[i%int64(nodes)].Record(b.Context(), e); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

// BenchmarkRecordAlone is one who waits for each of them.
func BenchmarkRecordAlone(b *testing.B) {
	s := open(b, postgrestest.Durable(b).URL(b), options())
	for n := 0; b.Loop(); n++ {
		e := domain.Entry{ID: fmt.Sprintf("aud_%012d", n), At: noon, Action: "bench", By: "test"}
		if err := s.Record(b.Context(), e); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkImpersonableCustomer is one question by its key, as many times a
// second as there are impersonations.
func BenchmarkImpersonableCustomer(b *testing.B) {
	s := open(b, "", options())
	if err := s.AddPartner(b.Context(), domain.Partner{ID: "prt_a", Name: "a"}, domain.Entry{ID: "aud_1"}); err != nil {
		b.Fatal(err)
	}
	u := domain.User{ID: "usr_a", Partner: "prt_a", Customer: true, Email: "a@example.com"}
	if err := s.AddUser(b.Context(), u, "", nil, domain.Entry{ID: "aud_2"}); err != nil {
		b.Fatal(err)
	}
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.ImpersonableCustomer(b.Context(), u.Partner, u.ID); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("many", func(b *testing.B) {
		b.SetParallelism(16)
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := s.ImpersonableCustomer(b.Context(), u.Partner, u.ID); err != nil {
					b.Error(err)
				}
			}
		})
	})
}
