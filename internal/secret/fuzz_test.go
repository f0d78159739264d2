package secret_test

import (
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/secret"
)

// FuzzSecret reads any text as a secret, a key file and a password hash. What
// is taken reads back the same; a key comes with no error and an error with no
// key; no hash may cost more than the bounds.
func FuzzSecret(f *testing.F) {
	f.Add(zerosTest)
	f.Add(orderLive)
	f.Add(string(secret.NewMaster(nil).KeyFile()))
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	for _, hash := range damagedHashes {
		f.Add(hash)
	}
	f.Fuzz(func(t *testing.T, s string) {
		test, live := secret.WellFormed(s, secret.Staging), secret.WellFormed(s, secret.Production)
		if test && live || (test || live) && len(s) != 57 {
			t.Errorf("%q: well formed in staging %v, in production %v", s, test, live)
		}
		if m, err := secret.ParseMaster(s); err != nil {
			if (m != secret.Master{}) {
				t.Errorf("ParseMaster(%q): a key beside the error %v", s, err)
			}
		} else if got := string(m.KeyFile()); got != strings.TrimSuffix(s, "\n")+"\n" {
			t.Errorf("ParseMaster(%q) writes %q", s, got)
		}
		if back, err := secret.ReadPHC(s); err == nil {
			memory, passes, threads := secret.CostOfPHC(s)
			if back != s || memory > 64<<10 || passes > 10 || threads > 4 || passes < 1 || threads < 1 {
				t.Errorf("ReadPHC(%q) = %q, cost %d KiB, %d passes, %d threads", s, back, memory, passes, threads)
			}
		}
	})
}
