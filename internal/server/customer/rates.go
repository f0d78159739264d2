package customer

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/throttle"
)

// rate is how often one caller may have a field, whatever points there are.
type rate struct {
	field   string
	text    string // as @rate has it: 10/m
	limiter *throttle.Limiter
	now     func() time.Time
}

// rateOf reads a field's @rate; nil where there is none.
func rateOf(object string, f *ast.FieldDefinition, now func() time.Time) (*rate, error) {
	d := f.Directives.ForName("rate")
	if d == nil {
		return nil, nil
	}
	text := d.Arguments.ForName("limit").Value.Raw
	count, unit, _ := strings.Cut(text, "/")
	n, err := strconv.Atoi(count)
	window := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}[unit]
	if err != nil || n < 1 || window == 0 || time.Duration(n) > window/time.Microsecond {
		return nil, fmt.Errorf("the rate %q is none such as 10/m", text)
	}
	name := f.Name
	if object != "Query" && object != "Mutation" && object != "Subscription" {
		name = object + "." + name
	}
	return &rate{name, text, throttle.New(throttle.Limit{Burst: n, Every: window / time.Duration(n)}, accountsKept), now}, nil
}

// key is whom it counts: who is known by application and user, anybody else by
// the address.
func (r *rate) key(who *asker) throttle.Key {
	if who.err != nil {
		return r.limiter.Key("", throttle.Address(who.address))
	}
	return r.limiter.Key(string(who.caller.Client), []byte(string(who.caller.Partner)+"\n"+string(who.caller.User)))
}

// charge counts the field once.
func (r *rate) charge(ctx context.Context) error {
	who := askerOf(ctx)
	wait := r.limiter.Charge(r.key(who), r.now())
	if wait == 0 {
		return nil
	}
	limit := r.limiter.Limit()
	pause := &domain.Pause{Limit: r.field, Quota: limit.Burst, Window: limit.Window(), Wait: wait}
	who.pause(pause)
	return &domain.Error{Kind: domain.Throttled, Public: "the field " + r.field + " is asked for too often", Err: pause}
}
