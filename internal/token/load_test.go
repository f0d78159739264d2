package token_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/token"
)

// verifier is somebody else's: it knows JWKS, keeps it as long as it may, and
// never asks before that, not even for a kid that it does not know.
type verifier struct {
	ring  *token.Ring
	until time.Time
	keys  map[string]ed25519.PublicKey
}

const loadMaxAge = 2 * time.Second

func (v *verifier) verifies(t *testing.T, raw string, now time.Time) bool {
	if !now.Before(v.until) {
		body, _ := v.ring.JWKS()
		var set struct{ Keys []struct{ Kid, X string } }
		if err := json.Unmarshal(body, &set); err != nil {
			t.Error(err)
		}
		v.until, v.keys = now.Add(loadMaxAge), map[string]ed25519.PublicKey{}
		for _, k := range set.Keys {
			v.keys[k.Kid] = decoded(k.X)
		}
	}
	parts := strings.Split(raw, ".")
	var head struct{ Kid string }
	if err := json.Unmarshal(decoded(parts[0]), &head); err != nil {
		t.Error(err)
	}
	public := v.keys[head.Kid]
	return public != nil && ed25519.Verify(public, []byte(parts[0]+"."+parts[1]), decoded(parts[2]))
}

func decoded(text string) []byte {
	b, _ := base64.RawURLEncoding.DecodeString(text) // what is wrong does not verify
	return b
}

// TestRotationUnderLoad: keys rotate every ten seconds of a clock that is moved
// while tokens are made and verified. Not one verification fails.
func TestRotationUnderLoad(t *testing.T) {
	want := int64(100_000)
	if testing.Short() {
		want = 10_000
	}
	var micros atomic.Int64
	micros.Store(noon.UnixMicro())
	clock := func() time.Time { return time.UnixMicro(micros.Load()).UTC() }
	store := &keyring{}
	s := settings(store, token.EdDSA)
	s.Now = clock
	s.Policy.Rotation, s.Policy.MaxAge, s.Policy.Keep = 10*time.Second, loadMaxAge, 90*time.Second
	ring, err := token.OpenRing(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	var done, failed atomic.Int64
	var mu sync.Mutex
	var made [512]struct {
		raw     string
		expires int64
	}
	work := func(worker uint64, turn chan<- struct{}) {
		chance := rand.New(rand.NewPCG(1, worker))
		v := &verifier{ring: ring}
		for n := 0; done.Load() < want; n++ {
			if n%10 == 0 {
				turn <- struct{}{}
			}
			at := clock()
			c := partnerClaims()
			c.IssuedAt, c.NotBefore, c.Expires = at.Unix(), at.Unix(), at.Unix()+60
			c.ID = token.NewID(at, nil)
			raw, err := ring.Sign(nil, &c)
			if err != nil {
				t.Error(err)
				return
			}
			i, j := chance.IntN(len(made)), chance.IntN(len(made))
			mu.Lock()
			made[i].raw, made[i].expires = string(raw), c.Expires
			old := made[j]
			mu.Unlock()
			now := clock() // after the token was taken: time does not go back
			if old.expires <= now.Unix() {
				old.raw = string(raw)
			}
			if !v.verifies(t, old.raw, now) {
				failed.Add(1)
			}
			done.Add(1)
		}
	}
	turn, stop := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stop)
		for range turn { // the clock stands while keys change
			micros.Add(100_000)
			if _, err := ring.Step(t.Context(), domain.Entry{}); err != nil {
				t.Error(err)
			}
		}
	}()
	var workers sync.WaitGroup
	for i := range 4 {
		workers.Go(func() { work(uint64(i), turn) })
	}
	workers.Wait()
	close(turn)
	<-stop
	t.Logf("%d verifications, %d failed, %d keys in %v", done.Load(), failed.Load(), len(store.keys), clock().Sub(noon))
	if failed.Load() > 0 || int64(len(store.keys)) < want/2000 {
		t.Errorf("%d of %d verifications failed over %d keys", failed.Load(), done.Load(), len(store.keys))
	}
}
