package postgres

import (
	"errors"
	"slices"

	"github.com/wattgate/wattgate/internal/domain"
)

// lessons are what the failed attempts of an import have taught.
type lessons struct {
	// channels are those that were to be held: the next attempt holds them first,
	// in the order of their numbers. As a file has them, two imports might wait
	// for each other.
	channels []domain.ChannelID
	// met is set once an addition has met what somebody else has added: the next
	// conflict is the caller's.
	met    bool
	rounds int
}

// maxRounds is how often an import is begun anew that has lost all its attempts to
// others that it was waiting for, and which were waiting for it.
const maxRounds = 3

// errMet asks for the same transaction again, which then finds what another one
// has added meanwhile.
var errMet = errors.New("somebody else has added the same")

// learn is told of an attempt at its end.
func (l *lessons) learn(t *transfer) {
	l.met = l.met || errors.Is(t.stuck, errMet)
	for _, ch := range t.asked {
		if !t.added[ch] { // what it has added is gone with it
			l.channels = append(l.channels, ch)
		}
	}
	slices.Sort(l.channels)
	l.channels = slices.Compact(l.channels)
}

// later reports whether it is worth another round.
func (l *lessons) later() bool {
	l.rounds++
	return l.rounds < maxRounds
}
