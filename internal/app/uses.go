package app

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// used returns how often an application has proven who it is: with any of its
// secrets, or with a key or certificate of its own. A public one proves nothing.
func (a *App) used(ctx context.Context, app domain.Application) (*Use, error) {
	if app.Type == domain.Public {
		return nil, nil
	}
	if err := a.Registry.Flush(ctx); err != nil {
		return nil, err
	}
	var sum domain.SecretUse
	if app.AuthMethod.Secret() {
		bySecret, err := a.Registry.Store.SecretUses(ctx, app.ID)
		if err != nil {
			return nil, err
		}
		for _, use := range bySecret {
			sum = together(sum, use)
		}
	} else {
		own, err := a.Registry.Store.OwnUse(ctx, app.ID)
		if err != nil {
			return nil, err
		}
		sum = own
	}
	use := useView(sum, a.world.Now())
	return &use, nil
}

// together adds two counts.
func together(a, b domain.SecretUse) domain.SecretUse {
	sum := domain.SecretUse{LastUsed: a.LastUsed, Tokens: a.Tokens + b.Tokens}
	if b.LastUsed.After(a.LastUsed) {
		sum.LastUsed = b.LastUsed
	}
	for _, h := range slices.SortedFunc(slices.Values(slices.Concat(a.Hours, b.Hours)), byHour) {
		if last := len(sum.Hours) - 1; last >= 0 && sum.Hours[last].Hour == h.Hour {
			sum.Hours[last].Tokens += h.Tokens
			continue
		}
		sum.Hours = append(sum.Hours, h)
	}
	return sum
}

func byHour(a, b domain.HourUse) int { return cmp.Compare(a.Hour, b.Hour) }

// useView shows a count. Hours are kept until the next batch comes, so those that
// are too old are left out here.
func useView(use domain.SecretUse, now time.Time) Use {
	v := Use{Tokens: use.Tokens}
	if !use.LastUsed.IsZero() {
		v.LastUsed = &use.LastUsed
	}
	this := domain.HourOf(now)
	for _, h := range use.Hours {
		if h.Hour <= this-domain.UseHours {
			continue
		}
		v.Hours = append(v.Hours, HourView{time.Unix(h.Hour*int64(time.Hour/time.Second), 0).UTC(), h.Tokens})
		if h.Hour == this {
			v.Hour += h.Tokens
		}
		if h.Hour > this-24 {
			v.Day += h.Tokens
		}
	}
	return v
}
