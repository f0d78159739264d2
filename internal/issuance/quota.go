package issuance

import (
	"context"
	"fmt"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/throttle"
)

// Quota bounds how often one application may act for customers: whoever has
// stolen its secret reaches no more of them in an hour, and somebody hears of it.
type Quota struct {
	acts   *throttle.Limiter
	alarms *throttle.Limiter
}

// quotaKeys is how many applications are told apart: those that impersonate.
const quotaKeys = 1 << 12

// MaxQuota is the highest quota that can be set.
const MaxQuota = 1_000_000

// NewQuota allows so many impersonations at once, and lets as many come back in
// an hour. It returns nil, no quota, for zero.
func NewQuota(perHour int) *Quota {
	if perHour <= 0 {
		return nil
	}
	return &Quota{
		acts:   throttle.New(throttle.Limit{Burst: perHour, Every: time.Hour / time.Duration(perHour)}, quotaKeys),
		alarms: throttle.New(throttle.Limit{Burst: 1, Every: time.Hour}, quotaKeys),
	}
}

// within refuses an application that has used up its quota. What takes from the
// quota is an act that nothing else has refused: take says that it is one.
func (is *Issuer) within(ctx context.Context, caller domain.Caller, take bool, from domain.Origin) error {
	q, now := is.Quota, is.Now()
	if q == nil {
		return nil
	}
	key := q.acts.Key(string(caller.Client), nil)
	ask := q.acts.Wait
	if take {
		ask = q.acts.Charge
	}
	wait := ask(key, now)
	if wait == 0 {
		return nil
	}
	if err := is.alarm(ctx, caller, now, from); err != nil {
		return err
	}
	limit := q.acts.Limit()
	return &domain.Error{
		Kind: domain.Throttled, Public: "this application has acted for customers as often as it may in an hour; wait before the next time",
		Err: &domain.Pause{Limit: "impersonations", Quota: limit.Burst, Window: limit.Window(), Wait: wait},
	}
}

// alarm writes into the audit log that an application is over its quota: once an
// hour, however often it tries. Where that cannot be written down, that is the
// answer, and it stands in the log of requests.
func (is *Issuer) alarm(ctx context.Context, caller domain.Caller, now time.Time, from domain.Origin) error {
	alarms := is.Quota.alarms
	if alarms.Charge(alarms.Key(string(caller.Client), nil), now) > 0 {
		return nil
	}
	recording, cancel := context.WithTimeout(ctx, journalPatience)
	defer cancel()
	return is.Journal.Recording(recording, domain.Entry{
		ID: domain.NewEntryID(now, is.chance()), At: now, Action: "user.impersonate.exceeded", Partner: caller.Partner, Client: caller.Client,
		RequestID: from.RequestID, Address: from.Address, Detail: fmt.Sprintf("more than %d in an hour", is.Quota.acts.Limit().Burst),
	})()
}
