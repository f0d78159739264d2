package storetest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/authorize"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
)

var families = []promise{
	{"a code is taken once, and ends its family the second time", func(t *testing.T, w *world) {
		a := w.allow(t, w.alpha, "a")
		g, c, how, err := w.ConsumeCode(t.Context(), a.Code.Digest, past, w.entry("family.end"))
		must(t, err)
		equal(t, "outcome", how, authorize.Fresh)
		equal(t, "grant", g, a.Grant)
		equal(t, "code", c, *a.Code)
		r := w.remember(t, "a")
		before := w.all(t)
		e := w.entry("family.end")
		for range 2 { // the third time says the same and leaves no entry
			g, _, how, err = w.ConsumeCode(t.Context(), a.Code.Digest, past, e)
			must(t, err)
			equal(t, "outcome", how, authorize.Reused)
			equal(t, "family", g.Family, a.Grant.Family)
		}
		e.Partner, e.Client, e.Object = w.alpha.partner.ID, w.alpha.app.ID, a.Grant.Family
		equal(t, "audit log", w.all(t), append(before, e))
		equal(t, "denied", w.denied(t, a.Grant.Family), true)
		_, how, err = w.FindRefresh(t.Context(), r, w.alpha.app.ID, past)
		must(t, err)
		equal(t, "its refresh token", how, authorize.Dead)
		refused(t, "another refresh token", w.AddRefresh(t.Context(), a.Grant, digest("more"), future, past), domain.NotFound)
	}},
	{"a code is good until its time is over", func(t *testing.T, w *world) {
		for name, c := range map[string]struct {
			after time.Duration
			want  authorize.Outcome
		}{
			"a": {time.Minute - time.Microsecond, authorize.Fresh}, "b": {time.Minute, authorize.Expired},
		} {
			a := w.allow(t, w.alpha, name)
			_, _, how, err := w.ConsumeCode(t.Context(), a.Code.Digest, past.Add(c.after), w.entry("family.end"))
			must(t, err)
			equal(t, "after "+c.after.String(), how, c.want)
		}
		_, _, how, err := w.ConsumeCode(t.Context(), digest("never"), past, w.entry("family.end"))
		must(t, err)
		equal(t, "a code that never was", how, authorize.Unknown)
	}},
	{"of many at once one takes a code, and one a refresh token", func(t *testing.T, w *world) {
		a := w.allow(t, w.alpha, "a")
		var codes, rotations atomic.Int32
		w.together(t, 32, func(i int) error {
			_, _, how, err := w.ConsumeCode(t.Context(), a.Code.Digest, past, domain.Entry{ID: fmt.Sprintf("aud_x%d", i), Action: "family.end"})
			if how == authorize.Fresh {
				codes.Add(1)
			}
			return err
		})
		equal(t, "codes taken", codes.Load(), int32(1))
		b := w.allow(t, w.alpha, "b")
		r := w.remember(t, "b")
		w.together(t, 32, func(i int) error {
			_, how, err := w.RotateRefresh(t.Context(), authorize.Rotation{
				Client: w.alpha.app.ID, Old: r, New: digest(fmt.Sprint("next ", i)), Now: past, Until: future,
				Reuse: domain.Entry{ID: fmt.Sprintf("aud_y%d", i), Action: "family.end"},
			})
			if how == authorize.Fresh {
				rotations.Add(1)
			}
			return err
		})
		equal(t, "rotations", rotations.Load(), int32(1))
		equal(t, "denied", w.denied(t, b.Grant.Family), true)
	}},
	{"a refresh token makes way for the next, and ends all of them when it comes back", func(t *testing.T, w *world) {
		a := w.allow(t, w.alpha, "a")
		chain := []authorize.Digest{w.remember(t, "a")}
		for i := range 3 {
			next := digest(fmt.Sprint("next ", i))
			g, how, err := w.RotateRefresh(t.Context(), w.rotation(w.alpha, chain[i], next, past))
			must(t, err)
			equal(t, "outcome", how, authorize.Fresh)
			equal(t, "grant", g, a.Grant)
			chain = append(chain, next)
		}
		_, how, err := w.FindRefresh(t.Context(), chain[1], w.alpha.app.ID, past)
		must(t, err)
		equal(t, "a look at a used one", how, authorize.Reused)
		equal(t, "denied by a look", w.denied(t, a.Grant.Family), false)
		_, how, err = w.RotateRefresh(t.Context(), w.rotation(w.alpha, chain[1], digest("thief"), past))
		must(t, err)
		equal(t, "a used one", how, authorize.Reused)
		equal(t, "denied", w.denied(t, a.Grant.Family), true)
		_, how, err = w.RotateRefresh(t.Context(), w.rotation(w.alpha, chain[3], digest("owner"), past))
		must(t, err)
		equal(t, "the youngest", how, authorize.Dead)
		_, how, err = w.FindRefresh(t.Context(), digest("thief"), w.alpha.app.ID, past)
		must(t, err)
		equal(t, "what the thief wanted", how, authorize.Unknown)
	}},
	{"a family that is bound to a key stays bound, whatever follows", func(t *testing.T, w *world) {
		a := w.allow(t, w.alpha, "a")
		bound := domain.Confirmation{Method: domain.ConfirmKey, Thumbprint: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}
		must(t, w.AddRefresh(t.Context(), authorize.Grant{Family: a.Grant.Family, Bound: bound}, digest("r"), past.Add(24*time.Hour), past))
		g, _, err := w.FindRefresh(t.Context(), digest("r"), w.alpha.app.ID, past)
		must(t, err)
		equal(t, "what it is bound to", g.Bound, bound)
		g, _, err = w.RotateRefresh(t.Context(), w.rotation(w.alpha, digest("r"), digest("next"), past))
		must(t, err)
		equal(t, "the next", g.Bound, bound)
		g, _, err = w.FindRefresh(t.Context(), digest("next"), w.alpha.app.ID, past)
		must(t, err)
		equal(t, "a look at the next", g.Bound, bound)
	}},
	{"an application ends its family with any of its refresh tokens", func(t *testing.T, w *world) {
		w.allow(t, w.alpha, "a")
		r := w.remember(t, "a")
		_, _, err := w.RotateRefresh(t.Context(), w.rotation(w.alpha, r, digest("next"), past))
		must(t, err)
		before := len(w.all(t))
		for range 2 {
			family, err := w.EndFamily(t.Context(), r, w.alpha.app.ID, past, w.entry("family.end"))
			must(t, err)
			equal(t, "family", family, "fam_a")
		}
		equal(t, "entries", len(w.all(t)), before+1)
		_, how, err := w.FindRefresh(t.Context(), digest("next"), w.alpha.app.ID, past)
		must(t, err)
		equal(t, "the youngest", how, authorize.Dead)
	}},
	{"a family counts as long as application, partner, person and consent do", func(t *testing.T, w *world) {
		later := past.Add(time.Second)
		for _, c := range []struct {
			name string
			end  func(a authorize.Approval)
		}{
			{"consent ended", func(a authorize.Approval) {
				families, err := w.EndConsent(t.Context(), a.Consent.ID, domain.Caller{Partner: w.alpha.partner.ID, User: w.alpha.customer.ID}, later, w.entry("consent.revoke"))
				must(t, err)
				equal(t, "families", families, []string{a.Grant.Family})
				equal(t, "denied", w.denied(t, a.Grant.Family), true)
			}},
			{"application disabled, and enabled again", func(authorize.Approval) {
				for _, disabled := range []bool{true, false} {
					must(t, w.ChangeApplication(t.Context(), w.alpha.app.ID, func(app *domain.Application) error {
						app.Disabled, app.ChangedAt = disabled, later
						return nil
					}, w.entry("application.change")))
				}
			}},
			{"person disabled, and enabled again", func(authorize.Approval) {
				must(t, w.DisableUser(t.Context(), w.alpha.customer.ID, true, past, w.entry("user.disable")))
				must(t, w.DisableUser(t.Context(), w.alpha.customer.ID, false, time.Time{}, w.entry("user.enable")))
			}},
		} {
			a := w.allow(t, w.alpha, c.name)
			r := w.remember(t, c.name)
			c.end(a)
			_, how, err := w.FindRefresh(t.Context(), r, w.alpha.app.ID, later)
			must(t, err)
			equal(t, c.name+": refresh token", how, authorize.Dead)
			_, _, how, err = w.ConsumeCode(t.Context(), a.Code.Digest, later, w.entry("family.end"))
			must(t, err)
			equal(t, c.name+": code", how, authorize.Dead)
		}
	}},
	{"a family dies with its partner, and stays dead when that comes back", func(t *testing.T, w *world) {
		a, other := w.allow(t, w.alpha, "a"), w.allow(t, w.beta, "b")
		r := w.remember(t, "a")
		for _, disabled := range []bool{true, false} {
			must(t, w.DisablePartner(t.Context(), w.alpha.partner.ID, disabled, past, w.entry("partner.disable")))
			_, how, err := w.FindRefresh(t.Context(), r, w.alpha.app.ID, past)
			must(t, err)
			equal(t, fmt.Sprintf("disabled %v: refresh token", disabled), how, authorize.Dead)
		}
		_, _, how, err := w.ConsumeCode(t.Context(), a.Code.Digest, past, w.entry("family.end"))
		must(t, err)
		equal(t, "code", how, authorize.Dead)
		_, _, how, err = w.ConsumeCode(t.Context(), other.Code.Digest, past, w.entry("family.end"))
		must(t, err)
		equal(t, "another partner's code", how, authorize.Fresh)
	}},
	{"a family starts when its decision arrived, and dies with what is revoked later", func(t *testing.T, w *world) {
		w.begin(t, w.alpha, "a")
		a := w.approval(w.alpha, "a")
		a.At = past.Add(time.Hour) // the clock was ahead, and was set back
		must(t, w.decide(t, a))
		r := w.remember(t, "a")
		for _, c := range []struct {
			revoked time.Duration
			want    authorize.Outcome
		}{{time.Hour - time.Microsecond, authorize.Fresh}, {time.Hour, authorize.Dead}} {
			must(t, w.DisableUser(t.Context(), w.alpha.customer.ID, false, past.Add(c.revoked), w.entry("user.enable")))
			_, how, err := w.FindRefresh(t.Context(), r, w.alpha.app.ID, past)
			must(t, err)
			equal(t, "revoked up to "+c.revoked.String(), how, c.want)
		}
	}},
	{"a consent that has expired renews nothing", func(t *testing.T, w *world) {
		w.begin(t, w.alpha, "a")
		a := w.approval(w.alpha, "a")
		a.Consent.ValidUntil = past.Add(time.Hour)
		must(t, w.decide(t, a))
		r := w.remember(t, "a")
		for after, want := range map[time.Duration]authorize.Outcome{time.Hour - time.Microsecond: authorize.Fresh, time.Hour: authorize.Dead} {
			_, how, err := w.FindRefresh(t.Context(), r, w.alpha.app.ID, past.Add(after))
			must(t, err)
			equal(t, "after "+after.String(), how, want)
		}
	}},
	{"a question is forgotten when it is over", func(t *testing.T, w *world) {
		w.begin(t, w.alpha, "left") // for a minute
		must(t, w.KeepRequest(t.Context(), authorize.KindPushed, digest("before"), w.alpha.asked(), future, past.Add(time.Minute-time.Microsecond)))
		_, err := w.FindRequest(t.Context(), authorize.KindChallenge, digest("left"), past)
		must(t, err)
		must(t, w.KeepRequest(t.Context(), authorize.KindPushed, digest("after"), w.alpha.asked(), future, past.Add(time.Minute)))
		_, err = w.FindRequest(t.Context(), authorize.KindChallenge, digest("left"), past) // when it was still good
		refused(t, "a question that is over", err, domain.NotFound)
	}},
	{"a lasting refresh token says so, and what it is changed into does not last", func(t *testing.T, w *world) {
		a := w.allow(t, w.alpha, "a")
		r := w.remember(t, "a")
		g := a.Grant
		g.Lasting = true
		must(t, w.AddRefresh(t.Context(), g, digest("lasting"), past.Add(24*time.Hour), past))
		_, _, err := w.RotateRefresh(t.Context(), w.rotation(w.alpha, digest("lasting"), digest("next"), past))
		must(t, err)
		for name, key := range map[string]authorize.Digest{"the first": r, "lasting": digest("lasting"), "what follows it": digest("next")} {
			g, _, err := w.FindRefresh(t.Context(), key, w.alpha.app.ID, past)
			must(t, err)
			equal(t, name, g.Lasting, name == "lasting")
		}
	}},
	{"what is over is forgotten in portions", func(t *testing.T, w *world) {
		for i := range 40 {
			name := fmt.Sprint(i)
			a := w.allow(t, w.alpha, name)
			if i%2 == 0 {
				w.remember(t, name)
			}
			_, _, _, err := w.ConsumeCode(t.Context(), a.Code.Digest, past, w.entry("family.end"))
			must(t, err)
			w.begin(t, w.alpha, "left "+name)
		}
		far := past.Add(1000 * time.Hour)
		for i := range 30 {
			must(t, w.KeepRequest(t.Context(), authorize.KindPushed, digest(fmt.Sprint("later ", i)), w.alpha.asked(), far.Add(time.Hour), far))
		}
		for i := range 40 {
			name := fmt.Sprint(i)
			_, _, how, err := w.ConsumeCode(t.Context(), digest("code "+name), far, w.entry("family.end"))
			must(t, err)
			_, how2, err := w.FindRefresh(t.Context(), digest("refresh "+name), w.alpha.app.ID, far)
			must(t, err)
			_, err = w.FindRequest(t.Context(), authorize.KindChallenge, digest("left "+name), past) // when it was still good
			refused(t, "a request that is over", err, domain.NotFound)
			equal(t, "outcome of "+name, [2]authorize.Outcome{how, how2}, [2]authorize.Outcome{})
		}
	}},
}

var devices = []promise{
	{"a device is its application's alone", func(t *testing.T, w *world) {
		w.device(t, w.alpha, "a")
		for name, client := range map[string]domain.ClientID{"another application's": w.beta.app.ID, "nobody's": unknownClient} {
			_, how, err := w.PollDevice(t.Context(), digest("device a"), client, time.Second, past, w.entry("family.end"))
			must(t, err)
			equal(t, name, how, authorize.Unknown)
		}
	}},
	{"a device waits, is allowed, and is taken once", func(t *testing.T, w *world) {
		r := w.device(t, w.alpha, "a")
		device, got, err := w.FindDevice(t.Context(), digest("user a"), past)
		must(t, err)
		equal(t, "request", got, r)
		equal(t, "device", device, digest("device a"))
		refused(t, "the same user code", w.KeepDevice(t.Context(), digest("device b"), digest("user a"), r, 5*time.Second, future, past), domain.Conflict)
		for _, c := range []struct {
			after time.Duration
			want  authorize.Outcome
		}{
			{0, authorize.Waiting}, {time.Second, authorize.Early}, {9 * time.Second, authorize.Early}, // five seconds longer
			{25 * time.Second, authorize.Waiting}, {40 * time.Second, authorize.Waiting},
		} {
			equal(t, "after "+c.after.String(), w.poll(t, "a", past.Add(c.after)), c.want)
		}
		w.begin(t, w.alpha, "a")
		a := w.approval(w.alpha, "a")
		a.Code, a.Device = nil, device
		must(t, w.decide(t, a))
		_, _, err = w.FindDevice(t.Context(), digest("user a"), past)
		refused(t, "a user code that was answered", err, domain.NotFound)
		equal(t, "when it is allowed", w.poll(t, "a", past.Add(41*time.Second)), authorize.Fresh)
		equal(t, "a second time", w.poll(t, "a", past.Add(60*time.Second)), authorize.Reused)
		equal(t, "denied", w.denied(t, "fam_a"), true)
	}},
	{"a device that asks all the time is not noted each time, and not sent away for long", func(t *testing.T, w *world) {
		begin := func(name string) {
			r := authorize.Request{Client: w.alpha.app.ID, Partner: w.alpha.partner.ID, At: past}
			must(t, w.KeepDevice(t.Context(), digest("device "+name), digest("user "+name), r, 5*time.Second, past.Add(10*time.Minute), past))
		}
		begin("a")
		equal(t, "at first", w.poll(t, "a", past), authorize.Waiting)
		for i := range 100 {
			equal(t, "within the second", w.poll(t, "a", past.Add(time.Duration(i)*10*time.Millisecond)), authorize.Early)
		}
		must(t, w.TakeIn(t.Context(), func(intake.Tx) error { // where a write would wait for ever
			equal(t, "during a write", w.poll(t, "a", past.Add(time.Second-time.Microsecond)), authorize.Early)
			return nil
		}))
		equal(t, "after the first pause", w.poll(t, "a", past.Add(5*time.Second)), authorize.Waiting)
		begin("b")
		for i := range 100 {
			want := authorize.Early
			if i == 0 {
				want = authorize.Waiting
			}
			equal(t, "each second", w.poll(t, "b", past.Add(time.Duration(i)*time.Second)), want)
		}
		equal(t, "in less than a minute", w.poll(t, "b", past.Add(157*time.Second)), authorize.Early)
		equal(t, "after a minute", w.poll(t, "b", past.Add(217*time.Second)), authorize.Waiting)
		equal(t, "when the clock was set back", w.poll(t, "b", past.Add(100*time.Second)), authorize.Early)
		equal(t, "a minute later", w.poll(t, "b", past.Add(160*time.Second)), authorize.Waiting)
	}},
	{"of a device the newest questions wait", func(t *testing.T, w *world) {
		ask := func(kind authorize.Kind, device, name string, after time.Duration) {
			r := w.alpha.asked()
			if device != "" {
				r.Device = digest(device).String()
			}
			must(t, w.KeepRequest(t.Context(), kind, digest(name), r, future.Add(after), past))
		}
		ask(authorize.KindChallenge, "other", "other", 0)
		ask(authorize.KindChallenge, "", "none", 0)
		const many = 3 * authorize.DeviceChallenges
		for i := range many {
			ask(authorize.KindChallenge, "a", fmt.Sprint(i), time.Duration(i)*time.Second)
		}
		found := func(name string) bool {
			_, err := w.FindRequest(t.Context(), authorize.KindChallenge, digest(name), past)
			return err == nil
		}
		equal(t, "another device's", found("other"), true)
		equal(t, "no device's", found("none"), true)
		for i := range many {
			equal(t, fmt.Sprint("question ", i), found(fmt.Sprint(i)), i >= many-authorize.DeviceChallenges)
		}
	}},
	{"a device is refused, or nobody decides in time", func(t *testing.T, w *world) {
		r := w.device(t, w.alpha, "a")
		r.Device = digest("device a").String()
		must(t, w.KeepRequest(t.Context(), authorize.KindChallenge, digest("a"), r, future, past))
		_, err := w.Decline(t.Context(), digest("a"), past, w.entry("consent.deny"))
		must(t, err)
		equal(t, "refused", w.poll(t, "a", past), authorize.Declined)
		w.device(t, w.alpha, "b")
		equal(t, "over", w.poll(t, "b", past.Add(time.Minute)), authorize.Expired)
		_, _, err = w.FindDevice(t.Context(), digest("user b"), past.Add(time.Minute))
		refused(t, "a user code that is over", err, domain.NotFound)
		w.begin(t, w.alpha, "b")
		a := w.approval(w.alpha, "b")
		a.Code, a.Device, a.Now = nil, digest("device a"), past
		refused(t, "a device that was answered", w.decide(t, a), domain.NotFound)
	}},
}

func (w *world) device(t *testing.T, h house, name string) authorize.Request {
	t.Helper()
	r := authorize.Request{Client: h.app.ID, Partner: h.partner.ID, Scope: "openid", At: past}
	must(t, w.KeepDevice(t.Context(), digest("device "+name), digest("user "+name), r, 5*time.Second, past.Add(time.Minute), past))
	return r
}

func (w *world) poll(t *testing.T, name string, now time.Time) authorize.Outcome {
	t.Helper()
	_, how, err := w.PollDevice(t.Context(), digest("device "+name), w.alpha.app.ID, 5*time.Second, now, w.entry("family.end"))
	must(t, err)
	return how
}
