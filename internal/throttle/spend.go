package throttle

import "time"

// Spend charges a key n times at once where that is allowed, and otherwise
// nothing: then it returns how long the key has to wait for it. More than a
// burst is charged as a burst, or it would never be allowed. What is left can be
// spent at once.
func (l *Limiter) Spend(k Key, n int, now time.Time) (left int, wait time.Duration) {
	at, cost := now.UnixMicro(), l.cost(n)
	s, set := l.place(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	own := room(set, k)
	debt := int64(0)
	if own.key == k {
		debt = l.debt(own.paid, at)
	}
	if over := debt + cost - l.limit.Window().Microseconds(); over > 0 {
		return l.left(debt), time.Duration(over) * time.Microsecond
	}
	*own = slot{k, at + debt + cost}
	l.raise(at, debt+cost)
	return l.left(debt + cost), 0
}

// Refund takes back what was charged in vain. A key that has been forgotten, or
// owes less, owes nothing then.
func (l *Limiter) Refund(k Key, n int, now time.Time) (left int) {
	at := now.UnixMicro()
	s, set := l.place(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range set {
		if set[i].key == k {
			debt := max(0, l.debt(set[i].paid, at)-l.cost(n))
			set[i].paid = at + debt
			return l.left(debt)
		}
	}
	return l.limit.Burst
}

// Left returns how much a key can spend at once, and when all of a burst is
// there again. It charges nothing.
func (l *Limiter) Left(k Key, now time.Time) (left int, whole time.Time) {
	at := now.UnixMicro()
	s, set := l.place(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range set {
		if set[i].key == k {
			debt := l.debt(set[i].paid, at)
			return l.left(debt), now.Add(time.Duration(debt) * time.Microsecond)
		}
	}
	return l.limit.Burst, now
}

// cost is what n charges take, in microseconds.
func (l *Limiter) cost(n int) int64 {
	return int64(min(max(n, 0), l.limit.Burst)) * l.limit.Every.Microseconds()
}

// left is how many charges fit beside a debt.
func (l *Limiter) left(debt int64) int {
	return int(max(0, l.limit.Window().Microseconds()-debt) / l.limit.Every.Microseconds())
}
