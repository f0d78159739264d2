package sqlite_test

import (
	"math"
	"testing"

	"github.com/wattgate/wattgate/internal/store/storetest"
)

func TestConsentsOpenWhatTheySay(t *testing.T) {
	rounds := math.MaxInt
	if detector {
		rounds = 20
	}
	storetest.Consents(t, open(t, ":memory:", options()), rounds)
}
