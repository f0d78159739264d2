package app

import (
	"context"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
)

// When months are looked at, how many are packed before others are let in, and
// after how long a month is closed although days of it are missing.
const (
	sealEvery  = 10 * time.Minute
	sealAtOnce = 1000
	sealLate   = 92 * 24 * time.Hour
)

// sealMonths packs the months that are closed, until ctx ends.
func (a *App) sealMonths(ctx context.Context) error {
	if err := a.sealOnce(ctx); err != nil && ctx.Err() == nil { // a server may never live for as long as the pause
		a.log.Error("pack closed months", "error", err.Error())
	}
	return a.every(ctx, sealEvery, "pack closed months", a.sealOnce)
}

func (a *App) sealOnce(ctx context.Context) error {
	now := a.world.Now()
	rule := domain.SealRule{Quiet: now.Add(-a.Config.span("seal-after")), Late: domain.DateOf(now.UTC().Add(-sealLate))}
	total := 0
	for ctx.Err() == nil {
		n, err := a.store.Seal(ctx, rule, sealAtOnce)
		total += n
		if err != nil || n < sealAtOnce {
			if total > 0 {
				a.log.Info("packed closed months", "months", total)
			}
			return err
		}
	}
	return nil
}
