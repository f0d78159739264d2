//go:build citus

package postgres_test

import (
	"os"
	"testing"

	"github.com/wattgate/wattgate/internal/store"
	"github.com/wattgate/wattgate/internal/store/postgres/postgrestest"
	"github.com/wattgate/wattgate/internal/store/storetest"
)

// TestDistributed runs what every engine must pass on measurements that Citus
// has spread. It needs a coordinator of one's own, and so a build tag: make test
// sets it where WATTGATE_TEST_CITUS_URL names one.
func TestDistributed(t *testing.T) {
	admin := os.Getenv("WATTGATE_TEST_CITUS_URL")
	if admin == "" {
		t.Fatal("WATTGATE_TEST_CITUS_URL names no coordinator of Citus")
	}
	storetest.Run(t, func(t *testing.T) store.Engine {
		s := open(t, postgrestest.URLAt(t, admin), options())
		if _, err := s.Distribute(t.Context()); err != nil {
			t.Fatal(err)
		}
		return s
	})
}
