package customer

import "time"

// Hurry makes connections wait milliseconds for what they usually wait seconds
// for; begin is how long they wait for the first message.
func (s *Sockets) Hurry(begin time.Duration) {
	s.times = usualTimes
	s.times.begin, s.times.standing, s.times.poll, s.times.pause = begin, 5*time.Millisecond, time.Hour, time.Millisecond
}

// SlowAfter is how long a client may take for one message.
func (s *Sockets) SlowAfter(write time.Duration) { s.times.write = write }
