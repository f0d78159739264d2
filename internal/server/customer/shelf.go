package customer

import (
	"container/list"
	"sync"
)

// shelf keeps the things that were asked for last, up to a number of bytes. It
// may be used from many goroutines at once.
type shelf[K comparable, V any] struct {
	mu    sync.Mutex
	most  int // bytes; 0: it keeps nothing
	bytes int
	by    map[K]*list.Element
	order list.List // of what was asked for last first
}

type kept[K comparable, V any] struct {
	key   K
	value V
	bytes int
}

func (s *shelf[K, V]) get(key K) (value V, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.by[key]
	if !ok {
		return value, false
	}
	s.order.MoveToFront(e)
	return e.Value.(*kept[K, V]).value, true
}

// put keeps a thing of so many bytes, and lets go of what nobody has asked for
// in the longest time.
func (s *shelf[K, V]) put(key K, value V, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by[key] != nil || bytes > s.most {
		return
	}
	if s.by == nil {
		s.by = map[K]*list.Element{}
	}
	for s.bytes += bytes; s.bytes > s.most; {
		last := s.order.Remove(s.order.Back()).(*kept[K, V])
		delete(s.by, last.key)
		s.bytes -= last.bytes
	}
	s.by[key] = s.order.PushFront(&kept[K, V]{key, value, bytes})
}
