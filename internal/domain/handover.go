package domain

import (
	"slices"
	"time"
)

// Handover is a link under which a developer makes a new secret of an
// application appear, once. What the link holds is not kept, only its digest.
type Handover struct {
	Digest   [32]byte
	Client   ClientID
	Overlap  time.Duration // how long the old secrets go on; 0: they stop
	MadeAt   time.Time
	Until    time.Time
	OpenedAt time.Time // zero: not yet
}

// Void reports whether a secret was made after the link, which is for the next one.
func (h Handover) Void(secrets []StoredSecret) bool {
	return slices.ContainsFunc(secrets, func(s StoredSecret) bool { return s.CreatedAt.After(h.MadeAt) })
}

// Waits reports whether the link can still be opened.
func (h Handover) Waits(now time.Time) bool { return h.OpenedAt.IsZero() && now.Before(h.Until) }
