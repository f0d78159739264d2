package authn

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/wattgate/wattgate/internal/token"
)

// generations is what a [TokenReader] has whose keys can go: a number that grows
// whenever one does. What a reader without it has verified is not remembered.
type generations interface {
	Generation() uint64
}

// verify returns what a token says, from memory where it was verified before.
// The claims are shared and must not be changed. Whether they still count has to
// be asked every time.
func (t *Tokens) verify(raw string) (*token.Claims, error) {
	now := t.Now()
	keys, remembers := t.Keys.(generations)
	if !remembers || len(raw) > rememberedLength {
		claims, err := t.Keys.Verify(raw, now, token.Expect{Issuer: t.Issuer, Login: t.Login})
		return &claims, err
	}
	// Asked before the keys are: a key that goes meanwhile takes this with it.
	generation := keys.Generation()
	digest := t.verified.digest(raw)
	if claims := t.verified.get(digest, generation, now); claims != nil {
		return claims, nil
	}
	claims, err := t.Keys.Verify(raw, now, token.Expect{Issuer: t.Issuer, Login: t.Login})
	if err != nil {
		return nil, err
	}
	t.verified.put(digest, &verifiedToken{claims, generation})
	return &claims, nil
}

// rememberedLength is up to which length in bytes a token is remembered. Ours are
// well below; longer ones carry long scopes, and their claims would take memory
// for which nothing else asks.
const rememberedLength = 2048

// verified remembers tokens whose signature was right, by their digest, until
// exp: a signature costs some 50 µs, a digest less than one. It holds no text of
// a token. The zero verified is empty and ready; it must not be copied.
type verified struct {
	shards [verifiedShards]verifiedShard
	texts  sync.Pool // of *[]byte, for digests
}

const (
	verifiedShards = 64
	verifiedTokens = 1 << 16 // at most; some 60 MB
)

// verifiedShard is a part with a lock of its own. When it is full the token
// that came first is forgotten, which as a rule expires first, too.
type verifiedShard struct {
	mu     sync.RWMutex
	tokens map[[sha256.Size]byte]*verifiedToken
	order  [][sha256.Size]byte // a ring once it is full
	next   int
}

// verifiedToken is never changed once others can see it.
type verifiedToken struct {
	claims     token.Claims
	generation uint64
}

// digest returns the SHA-256 of a token. A conversion would copy it to the heap.
func (v *verified) digest(raw string) [sha256.Size]byte {
	text, _ := v.texts.Get().(*[]byte)
	if text == nil {
		text = new([]byte)
	}
	*text = append((*text)[:0], raw...)
	digest := sha256.Sum256(*text)
	clear(*text)
	v.texts.Put(text)
	return digest
}

func (v *verified) shard(digest [sha256.Size]byte) *verifiedShard {
	return &v.shards[digest[0]%verifiedShards]
}

// get returns the claims of a token that was verified under the same keys and
// is valid now, or nil. A token from before its own iat is verified again: the
// clock was put back.
func (v *verified) get(digest [sha256.Size]byte, generation uint64, now time.Time) *token.Claims {
	s := v.shard(digest)
	s.mu.RLock()
	found := s.tokens[digest]
	s.mu.RUnlock()
	seconds := now.Unix()
	if found == nil || found.generation != generation || found.claims.Expires <= seconds ||
		found.claims.IssuedAt > seconds || found.claims.NotBefore > seconds {
		return nil
	}
	return &found.claims
}

// put remembers a token.
func (v *verified) put(digest [sha256.Size]byte, one *verifiedToken) {
	s := v.shard(digest)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tokens == nil {
		s.tokens = map[[sha256.Size]byte]*verifiedToken{}
	}
	if _, again := s.tokens[digest]; again {
		s.tokens[digest] = one
		return
	}
	if len(s.order) < verifiedTokens/verifiedShards {
		s.order = append(s.order, digest)
	} else {
		delete(s.tokens, s.order[s.next])
		s.order[s.next] = digest
		s.next = (s.next + 1) % len(s.order)
	}
	s.tokens[digest] = one
}
