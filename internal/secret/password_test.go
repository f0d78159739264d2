package secret_test

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/secret"
)

func TestPassword(t *testing.T) {
	hash, err := secret.HashPassword(nil, domain.NewSecret("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	if want := regexp.MustCompile(`^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`); !want.MatchString(hash) {
		t.Errorf("hash = %q, want %v", hash, want)
	}
	for password, want := range map[string]bool{
		"correct horse": true, "correct horse ": false, "Correct horse": false, "": false, strings.Repeat("x", 1025): false,
	} {
		if got := secret.CheckPassword(hash, domain.NewSecret(password)); got != want {
			t.Errorf("CheckPassword(%.20q) = %v, want %v", password, got, want)
		}
	}
}

func TestTheStatedCostIsPartOfTheHash(t *testing.T) {
	cheap := strings.Replace(mustHash(t, "pässword"), "m=19456,t=2", "m=64,t=1", 1)
	if secret.CheckPassword(cheap, domain.NewSecret("pässword")) {
		t.Error("a hash passes under another cost than it was made with")
	}
}

func TestSaltsDiffer(t *testing.T) {
	if a, b := mustHash(t, "x"), mustHash(t, "x"); a == b {
		t.Errorf("one password twice gives one hash, %q", a)
	}
	chance := bytes.NewReader(make([]byte, 16))
	hash, err := secret.HashPassword(chance, domain.NewSecret("x"))
	if err != nil || !strings.Contains(hash, "$AAAAAAAAAAAAAAAAAAAAAA$") {
		t.Errorf("HashPassword with zeros for salt = %q, %v", hash, err)
	}
}

func TestPasswordsThatCannotBeSet(t *testing.T) {
	for _, password := range []string{"", strings.Repeat("x", 1025)} {
		_, err := secret.HashPassword(nil, domain.NewSecret(password))
		if e, ok := errors.AsType[*domain.Error](err); !ok || e.Kind != domain.Invalid {
			t.Errorf("HashPassword of %d bytes: %v, want domain.Invalid", len(password), err)
		}
	}
}

// damagedHashes are texts that no check may accept or spend much on.
var damagedHashes = map[string]string{
	"empty":               "",
	"only dollars":        "$$$$$",
	"another algorithm":   "$argon2i$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
	"another version":     "$argon2id$v=16$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
	"too much memory":     "$argon2id$v=19$m=65537,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
	"memory of 2^32":      "$argon2id$v=19$m=4294967296,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
	"too little memory":   "$argon2id$v=19$m=15,t=1,p=2$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
	"too many passes":     "$argon2id$v=19$m=64,t=11,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
	"no passes":           "$argon2id$v=19$m=64,t=0,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
	"no threads":          "$argon2id$v=19$m=64,t=1,p=0$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
	"257 threads":         "$argon2id$v=19$m=64000,t=1,p=257$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
	"a leading zero":      "$argon2id$v=19$m=064,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
	"a sign":              "$argon2id$v=19$m=64,t=+1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
	"costs out of order":  "$argon2id$v=19$t=1,m=64,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
	"a fourth cost":       "$argon2id$v=19$m=64,t=1,p=1,x=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
	"padding":             "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAA",
	"spare bits":          "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAB$AAAAAAAAAAAAAAAAAAAAAA",
	"a line break":        "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAA\nAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
	"a short salt":        "$argon2id$v=19$m=64,t=1,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAA",
	"a short hash":        "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA",
	"a huge hash":         "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$" + strings.Repeat("A", 200),
	"no hash":             "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA",
	"something before it": "x$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
	"something after it":  "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA$",
}

func TestDamagedHashesAreRefused(t *testing.T) {
	for name, hash := range damagedHashes {
		if got, err := secret.ReadPHC(hash); err == nil {
			t.Errorf("%s: %q was read, as %q", name, hash, got)
		}
	}
	if secret.CheckPassword("", domain.NewSecret("x")) || secret.CheckPassword("", domain.Secret{}) {
		t.Error("the empty hash passes")
	}
}

func TestPasswordsWaitForACore(t *testing.T) {
	p := secret.NewPasswords(2, nil)
	hash, err := p.Hash(t.Context(), domain.NewSecret("x"))
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if ok, err := p.Check(t.Context(), hash, domain.NewSecret("x")); !ok || err != nil {
				t.Errorf("Check = %v, %v, want true", ok, err)
			}
		})
	}
	group.Wait()
	if ok, err := p.Check(t.Context(), "", domain.NewSecret("x")); ok || err != nil {
		t.Errorf("Check of nobody = %v, %v, want false", ok, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if ok, err := p.Check(gone, hash, domain.NewSecret("x")); ok || !errors.Is(err, context.Canceled) {
		t.Errorf("Check for a caller who left = %v, %v, want context.Canceled", ok, err)
	}
}

func TestChecksNeverRunMoreThanThereAreCores(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := secret.NewPasswords(1, nil)
		must(t, p.Hold(t.Context()))
		ctx, cancel := context.WithCancel(t.Context())
		answer := make(chan error)
		go func() {
			_, err := p.Check(ctx, "", domain.NewSecret("x"))
			answer <- err
		}()
		synctest.Wait()
		select {
		case err := <-answer:
			t.Errorf("the second of two ran on one core: %v", err)
		default:
		}
		cancel()
		if err := <-answer; !errors.Is(err, context.Canceled) {
			t.Errorf("Check = %v, want context.Canceled", err)
		}
	})
}

// TestWhoWouldWaitTooLongIsRefusedAtOnce: a flood must not make a queue that
// nobody gets through. Who sets a password is no part of it.
func TestWhoWouldWaitTooLongIsRefusedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const cores, waiting = 2, 8
		p := secret.NewPasswords(cores, nil)
		for range cores {
			must(t, p.Hold(t.Context()))
		}
		var all sync.WaitGroup
		for range waiting {
			all.Go(func() {
				if _, err := p.Check(t.Context(), "", domain.NewSecret("x")); err != nil {
					t.Errorf("one of the first %d who wait: %v", waiting, err)
				}
			})
		}
		synctest.Wait()
		_, err := p.Check(t.Context(), "", domain.NewSecret("x"))
		e, _ := errors.AsType[*domain.Error](err)
		pause, _ := errors.AsType[*domain.Pause](err)
		if e == nil || e.Kind != domain.Unavailable || pause == nil || pause.Wait <= 0 {
			t.Errorf("number %d who waits: got %v, want unavailable, with a pause", waiting+1, err)
		}
		if _, err := p.Hash(t.Context(), domain.NewSecret("x")); err != nil {
			t.Errorf("who sets a password meanwhile: %v", err)
		}
		for range cores {
			p.Release()
		}
		all.Wait()
		if _, err := p.Check(t.Context(), "", domain.NewSecret("x")); err != nil {
			t.Errorf("after the flood: %v", err)
		}
	})
}

// TestHashesRunOneByOne: their memory is bounded, too.
func TestHashesRunOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		block := make(chan struct{}) // a salt that never comes
		p := secret.NewPasswords(4, blocked(block))
		held := make(chan struct{})
		go func() {
			defer close(held)
			_, _ = p.Hash(t.Context(), domain.NewSecret("x"))
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := p.Hash(ctx, domain.NewSecret("x")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Hash = %v, want context.DeadlineExceeded", err)
		}
		close(block)
		<-held
	})
}

// blocked is a source of zeros that gives nothing until it is closed.
type blocked chan struct{}

func (b blocked) Read(p []byte) (int, error) {
	<-b
	clear(p)
	return len(p), nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustHash(t *testing.T, password string) string {
	t.Helper()
	hash, err := secret.HashPassword(nil, domain.NewSecret(password))
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

func BenchmarkCheckPassword(b *testing.B) {
	hash, err := secret.HashPassword(nil, domain.NewSecret("x"))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		secret.CheckPassword(hash, domain.NewSecret("x"))
	}
}
