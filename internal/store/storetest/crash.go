package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/meterfile"
	"github.com/wattgate/wattgate/internal/store"
)

// Senders is how many send batches at the same time, each about a supply point
// of their own.
const Senders = 2

// crashClient is who they are, unless a [Crash] says another.
const crashClient = "crash"

// crashZone has a day of 23 hours in the days of the batches.
const crashZone = "Europe/Amsterdam"

// The days that batches are about, which soon are corrected more often than new.
const (
	crashFirst = domain.Date(19785) // 2024-03-03
	crashDays  = 40
)

// CrashPartner is whose readings the batches hold.
const CrashPartner = domain.PartnerID("prt_crash")

var crashHome = domain.Property{
	ID: "prop_crash", Partner: CrashPartner, Label: "home", Zone: crashZone,
}

// Send imports batches without end, and seals between them, until ctx ends or
// the process does. It says "taken SENDER BATCH" once a batch is durable, or
// "known" instead where it was there although an answer of this process was that
// it is not, and "refused SENDER BATCH KIND" where it was not taken, and is sent
// again. What a batch holds follows from its sender and number, so that whoever has listened
// knows what must be stored: see [Crash]. It begins with the batches from.
func Send(ctx context.Context, e store.Engine, now func() time.Time, from string, to io.Writer) error {
	if err := MoveIn(ctx, e, now()); err != nil {
		return err
	}
	first := strings.Split(from, ",")
	if len(first) != Senders {
		return fmt.Errorf("got the batches %q, want one number for each of %d senders", from, Senders)
	}
	var all sync.WaitGroup
	for sender, text := range first {
		n, err := strconv.Atoi(text)
		if err != nil {
			return err
		}
		all.Go(func() { sendAll(ctx, e, now, sender, n, to) })
	}
	all.Wait()
	return nil
}

func sendAll(ctx context.Context, e store.Engine, now func() time.Time, sender, n int, to io.Writer) {
	for first := n; ctx.Err() == nil; {
		known, err := sendBatch(ctx, e, now, crashClient, sender, n)
		if err != nil && ctx.Err() != nil {
			return
		}
		if err != nil {
			_, _ = fmt.Fprintf(to, "refused %d %d %s: %v\n", sender, n, kindOf(err), err) // whoever does not listen checks nothing
			continue
		}
		what := "taken"
		if known && n != first { // the first may be of an earlier process
			what = "known"
		}
		_, _ = fmt.Fprintf(to, "%s %d %d\n", what, sender, n)
		if n++; n%3 == 0 {
			if _, err := e.Seal(ctx, whenever, 1+n%2); err != nil && ctx.Err() == nil {
				_, _ = fmt.Fprintf(to, "refused %d %d %s: %v\n", sender, n, kindOf(err), err)
			}
		}
	}
}

func kindOf(err error) domain.Kind {
	if e, ok := errors.AsType[*domain.Error](err); ok {
		return e.Kind
	}
	return domain.Internal
}

// MoveIn makes the partner and the home of all batches, unless an earlier process
// has.
func MoveIn(ctx context.Context, e store.Engine, now time.Time) error {
	p := domain.Partner{ID: crashHome.Partner, Name: "crash", CreatedAt: now}
	entry := func() domain.Entry { return domain.Entry{ID: domain.NewEntryID(now, nil), At: now, Action: "test"} }
	for _, err := range []error{e.AddPartner(ctx, p, entry()), e.AddProperty(ctx, crashHome, entry())} {
		if err != nil && kindOf(err) != domain.Conflict {
			return err
		}
	}
	return nil
}

// Batch returns the name of a batch and its content, which is NDJSON.
func Batch(sender, n int) (id, content string) {
	text := strings.Builder{}
	for _, r := range batchOf(sender, n) {
		r.write(&text, sender)
	}
	return fmt.Sprintf("%d-%d", sender, n), text.String()
}

// sendBatch sends one batch, and tells whether it was taken before.
func sendBatch(ctx context.Context, e store.Engine, now func() time.Time, client string, sender, n int) (again bool, err error) {
	id, content := Batch(sender, n)
	im := &intake.Importer{Store: e, Now: now}
	report, err := im.Take(ctx, intake.Batch{
		Sender: client, ID: id, Digest: sha256.Sum256([]byte(content)), Format: meterfile.NDJSON,
	}, intake.File{Name: "batch", Content: strings.NewReader(content), Size: int64(len(content))}, intake.Target{Property: crashHome.ID}, nil)
	return report.Repeated, err
}

// told is one reading of a batch: an interval of a day, or what the register
// showed at an instant.
type told struct {
	register string
	date     domain.Date
	i        int // interval of the day; of a register read, the hour since the first day
	start    time.Time
	value    int64 // in thousandths
}

const shownRegister = "T" // has register reads, and no intervals

// batchOf makes the readings of a batch: of some days or halves of days, which
// other batches may be about as well, and one of a register.
func batchOf(sender, n int) (list []told) {
	r := rand.New(rand.NewPCG(uint64(sender), uint64(n)))
	zone, err := interval.Zone(crashZone)
	if err != nil {
		panic(err)
	}
	for _, register := range []string{"1", "2"} {
		if r.IntN(4) == 0 {
			continue
		}
		first, days, part := r.IntN(crashDays), 1+r.IntN(3), r.IntN(3)
		for d := first; d < min(first+days, crashDays); d++ {
			date := crashFirst + domain.Date(d)
			start, end := interval.Span(date, zone)
			count := interval.Count(start, end, 60)
			from, to := 0, count
			switch part {
			case 1:
				to = count / 2
			case 2:
				from = count / 2
			}
			for i := from; i < to; i++ {
				list = append(list, told{register, date, i, start.Add(time.Duration(i) * time.Hour), int64(n)*100 + int64(i)})
			}
		}
	}
	hour := r.IntN(100)
	start, _ := interval.Span(crashFirst, zone)
	return append(list, told{shownRegister, crashFirst, hour, start.Add(time.Duration(hour) * time.Hour), int64(n)})
}

// write writes a line of NDJSON.
func (r told) write(to *strings.Builder, sender int) {
	const form = time.RFC3339
	when := fmt.Sprintf(`"readAt":"%s"`, r.start.Format(form))
	if r.register != shownRegister {
		when = fmt.Sprintf(`"startAt":"%s","endAt":"%s"`, r.start.Format(form), r.start.Add(time.Hour).Format(form))
	}
	fmt.Fprintf(to, `{"supplyPoint":"%s:%s","registerId":"%s","direction":"CONSUMPTION",%s,"value":"%d.%03d","unit":"kwh","quality":"ACTUAL"}`+"\n",
		domain.MarketNLDElectricity, crashPoint(sender), r.register, when, r.value/1000, r.value%1000)
}

func crashPoint(sender int) string { return fmt.Sprintf("87168590001234567%d", sender) }
