package customer_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server/customer"
	"github.com/wattgate/wattgate/internal/supply"
	"github.com/wattgate/wattgate/internal/webhook"
)

// The tenant probe: every field of the schema, on every way to it, asked for by
// every kind of caller, of every owner. It is made from the schema, so that a new
// field is in it by itself. Three things are held:
//
//   - what belongs to somebody whom the caller may not see is answered byte for
//     byte as what does not exist,
//   - nothing of theirs shows in any answer, whatever was asked,
//   - and what is the caller's own does show, so that silence is no proof.

// owner is whose things are named in a question.
type owner struct {
	property, account, user, uuid, point, email, name, hook string
	marks                                                   []string // what shows that something of theirs does
}

var owners = map[string]owner{
	"ada": {
		"prop_ada", "A-ADA", string(ada), ada.UUID(), "871690000000000000", "ada@example.org", "Ada", "",
		[]string{"prop_ada", "A-ADA", ada.UUID(), "871690000000000000", "871690000000000009", "ada@example.org", `"Ada"`, "C-Ada", "Home of Ada"},
	},
	"bo": {
		"prop_bo", "A-BO", string(bo), bo.UUID(), "871690000000000001", "bo@example.org", "Bo", "",
		[]string{"prop_bo", "A-BO", bo.UUID(), "871690000000000001", "bo@example.org", `"Bo"`, "C-Bo", "Home of Bo"},
	},
	"cleo": {
		"prop_cleo", "A-CLEO", string(cleo), cleo.UUID(), "871690000000000002", "cleo@example.org", "Cleo", "",
		[]string{"prop_cleo", "A-CLEO", cleo.UUID(), "871690000000000002", "cleo@example.org", `"Cleo"`, "C-Cleo", "Home of Cleo", `"Watt"`, "prt_watt", "watt.example"},
	},
	"nobody": {
		"prop_none", "A-NONE", "usr_9c1a3b5e7f204a639a516f0c2d9be714", "9c1a3b5e-7f20-4a63-9a51-6f0c2d9be714", "871690000000000777", "none@example.org", "Nobody", "whk_none",
		nil,
	},
}

// prober is a kind of caller: whom they may see, and by which marks that shows.
type prober struct {
	caller domain.Caller
	err    string   // what authenticate makes of them, where nobody is known
	sees   []string // owners
	shows  []string // marks that some answer must have
	anyone bool     // lists may have anybody of the partner
}

func probers() map[string]prober {
	customers := func(p domain.PartnerID, u domain.UserID) domain.Caller {
		return domain.Caller{Partner: p, User: u, Permissions: domain.CustomerPermissions, Audiences: onCustomer, Reach: domain.ReachPartner, Login: domain.LoginPassword}
	}
	looking := customers(stroom, ada)
	looking.Login, looking.Staff = domain.LoginMasquerade, "usr_5c1a3b5e7f204a639a516f0c2d9be714"
	reads := callers["bos-reader"]
	reads.Client = "app_allowed"
	all := func(name string) []string { return owners[name].marks[:4:4] }
	personal := func(name string) []string { return owners[name].marks }
	return map[string]prober{
		"anonymous":                          {err: ""},
		"somebody with an expired token":     {err: "expired"},
		"somebody with another API's token":  {err: "other-api"},
		"the partner's application":          {caller: callers["partner"], sees: []string{"ada", "bo"}, shows: slices.Concat(personal("ada"), personal("bo")), anyone: true},
		"a third party":                      {caller: callers["third-party"], sees: []string{"ada", "bo"}, shows: []string{"prop_ada", "A-ADA", "871690000000000000", "Home of Bo"}},
		"an application without permissions": {caller: callers["metering"]},
		"a reader whom nobody allows":        {caller: callers["consented"]},
		"a reader whom Bo allows":            {caller: reads, sees: []string{"bo"}, shows: []string{"prop_bo", "871690000000000001"}},
		"a customer":                         {caller: customers(stroom, ada), sees: []string{"ada"}, shows: personal("ada")},
		"an impersonated customer":           {caller: callers["ada"], sees: []string{"ada"}, shows: personal("ada")},
		"staff who look on as a customer":    {caller: looking, sees: []string{"ada"}, shows: personal("ada")},
		"another customer":                   {caller: customers(stroom, bo), sees: []string{"bo"}, shows: personal("bo")},
		"a token with less":                  {caller: callers["narrowed"], sees: []string{"ada"}, shows: all("ada")[:2]},
		"the other partner's application":    {caller: callers["watt"], sees: []string{"cleo"}, shows: personal("cleo"), anyone: true},
		"the other partner's customer":       {caller: customers(watt, cleo), sees: []string{"cleo"}, shows: personal("cleo")[:9]},
	}
}

// plainly seals nothing: what is sealed does not matter here.
type plainly struct{}

// Seal returns what it was given.
func (plainly) Seal(_ string, b []byte) ([]byte, error) { return b, nil }

// Open returns what it was given.
func (plainly) Open(_ string, b []byte) ([]byte, error) { return b, nil }

// probed is a world of its own, for it is changed at the end.
type probed struct {
	*world
	probers map[string]prober
	fields  int // asked for
}

func newProbed(t *testing.T) *probed {
	t.Helper()
	w, err := build()
	if err != nil {
		t.Fatal(err)
	}
	p := &probed{world: w, probers: probers()}
	hooks := &webhook.Manager{Store: w.store, Sealer: plainly{}, Now: func() time.Time { return now }, Chance: rand.Reader}
	for name, application := range map[string]string{"ada": "partner", "cleo": "watt"} {
		c := callers[application]
		role := domain.Application{ID: c.Client, Name: application, Partner: c.Partner, Type: domain.Confidential, Reach: domain.ReachPartner, Role: domain.RolePartnerIntegration, CreatedAt: now, ChangedAt: now}
		entry := domain.Entry{ID: "aud_probe_" + application, At: now, Action: "application.create", By: "test"}
		if err := w.store.AddApplication(context.Background(), role, nil, entry); err != nil {
			t.Fatal(err)
		}
		hook, _, err := hooks.Create(context.Background(), c, domain.Origin{At: now}, "https://"+application+".example/hook", []webhook.Event{webhook.ReadingsArrived})
		if err != nil {
			t.Fatal(err)
		}
		o := owners[name]
		o.hook = string(hook.ID)
		owners[name] = o
	}
	allowed, entry := reader("app_allowed", stroom), domain.Entry{ID: "aud_probe_allowed", At: now, Action: "application.create", By: "test"}
	if err := w.store.AddApplication(context.Background(), allowed, nil, entry); err != nil {
		t.Fatal(err)
	}
	entry.ID = "aud_probe_consent"
	if err := give(w.store, domain.Consent{
		ID: "con_probe", Application: allowed.ID, Partner: stroom, User: bo, HistoryFrom: domain.NewDate(2024, 1, 1), ValidUntil: now.AddDate(1, 0, 0), CreatedAt: now,
		Permissions: thirdParty, SupplyPoints: []domain.SupplyPointRef{{Market: domain.MarketNLDElectricity, Identifier: "871690000000000001"}},
	}, entry); err != nil {
		t.Fatal(err)
	}
	at := func() time.Time { return now }
	p.world = w.with(t, func(c *customer.Config) {
		c.Webhooks, c.Now = hooks, at
		c.Customers = &supply.Service{Store: w.store, Now: at, Granted: func(domain.ClientID) domain.Permissions { return domain.AllPermissions() }}
		c.Limits = customer.Limits{Complexity: 1 << 20, Nodes: 1 << 30}
		c.Authenticate = func(r *http.Request) (domain.Caller, error) {
			name := r.Header.Get("Authorization")
			who, ok := p.probers[name]
			switch {
			case !ok:
				return domain.Caller{}, errors.New("no such prober")
			case who.caller.Partner != "":
				return who.caller, nil
			}
			r.Header.Set("Authorization", who.err)
			defer r.Header.Set("Authorization", name)
			return authenticate(r)
		}
	})
	return p
}

// way is one field and how one comes to it: the selections from the root on.
type way struct {
	steps []string
	group string // what it is asked for together with: of the same permissions, and of the same types
}

// ways lists every field below the roots of an operation: for each root field,
// each type that can be come to from there, by the shortest way.
func ways(schema *ast.Schema, root *ast.Definition, o owner, id string) (list []way) {
	for _, f := range root.Fields {
		if strings.HasPrefix(f.Name, "__") {
			continue
		}
		list = append(list, below(schema, root, f, o, id)...)
	}
	return list
}

// station is a type on the way.
type station struct {
	object *ast.Definition
	steps  []string
	group  string
}

func below(schema *ast.Schema, root *ast.Definition, f *ast.FieldDefinition, o owner, id string) (list []way) {
	seen := map[string]bool{}
	next := []station{{&ast.Definition{Name: root.Name, Kind: ast.Object, Directives: root.Directives, Fields: ast.FieldList{f}}, nil, f.Name}}
	for len(next) > 0 {
		at := next[0]
		next = next[1:]
		if deep(at.steps) > 10 || root.Name == "Mutation" && deep(at.steps) > 2 {
			continue // nobody may ask for its fields on this way, or they are looked at below Query
		}
		if at.object.Kind == ast.Interface || at.object.Kind == ast.Union {
			for _, possible := range schema.GetPossibleTypes(at.object) {
				if key := at.object.Name + " " + possible.Name; !seen[key] {
					seen[key] = true
					next = append(next, station{possible, append(slices.Clone(at.steps), "...on "+possible.Name), at.group + " " + possible.Name})
				}
			}
			if at.object.Kind == ast.Union {
				continue
			}
		}
		for _, f := range at.object.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			steps := append(slices.Clone(at.steps), f.Name+arguments(schema, f, o, id))
			group := at.group
			if d := cmp.Or(rule(f.Directives), rule(at.object.Directives)); d != nil && d.Name == "requires" {
				group += " " + d.Arguments.ForName("permission").Value.Raw
			}
			target := schema.Types[f.Type.Name()]
			if target.IsLeafType() {
				list = append(list, way{steps, group})
				continue
			}
			list = append(list, way{append(slices.Clone(steps), "__typename"), group})
			if !seen[target.Name] {
				seen[target.Name] = true
				next = append(next, station{target, steps, group})
			}
		}
	}
	return list
}

// deep is how many fields there are on a way.
func deep(steps []string) (n int) {
	for _, step := range steps {
		if !strings.HasPrefix(step, "...") {
			n++
		}
	}
	return n
}

// named are the arguments that say whose, by their names.
func named(name string, o owner, id string) (value string, ok bool) {
	switch name {
	case "id":
		return quote(map[string]string{"property": o.property, "user": o.user, "uuid": o.uuid, "hook": o.hook}[id]), true
	case "propertyId":
		return quote(o.property), true
	case "accountNumber":
		return quote(o.account), true
	case "customerId", "userId":
		if id == "user" {
			return quote(o.user), true
		}
		return quote(o.uuid), true
	case "externalIdentifier", "marketSupplyPointId":
		return quote(o.point), true
	case "marketName":
		return quote("NLD_ELECTRICITY"), true
	case "email":
		return quote(o.email), true
	case "search":
		return quote(o.name), true
	case "first":
		return "2", true
	case "name":
		return quote("property"), true
	case "query":
		return quote("{__typename}"), true
	case "startAt", "fromDatetime":
		return quote("2024-06-01T00:00:00Z"), true
	case "endAt", "toDatetime":
		return quote("2024-06-02T00:00:00Z"), true
	}
	return "", false
}

func arguments(schema *ast.Schema, f *ast.FieldDefinition, o owner, id string) string {
	var list []string
	for _, a := range f.Arguments {
		if v, ok := value(schema, a.Name, a.Type, a.DefaultValue != nil, o, id); ok {
			list = append(list, a.Name+":"+v)
		}
	}
	if len(list) == 0 {
		return ""
	}
	return "(" + strings.Join(list, ",") + ")"
}

// value is what an argument, or a field of an input, gets: whose things are meant
// where it says so, and otherwise something that fits, where it must be there.
func value(schema *ast.Schema, name string, t *ast.Type, hasDefault bool, o owner, id string) (string, bool) {
	target := schema.Types[t.Name()]
	if t.Elem == nil && target.IsLeafType() && target.Kind == ast.Scalar {
		if v, ok := named(name, o, id); ok {
			return v, true
		}
	}
	if !t.NonNull || hasDefault {
		return "", false
	}
	if t.Elem != nil {
		inner, ok := value(schema, name, t.Elem, false, o, id)
		if !ok {
			return "[]", true
		}
		return "[" + inner + "]", true
	}
	switch target.Kind {
	case ast.Enum:
		return target.EnumValues[0].Name, true
	case ast.InputObject:
		var list []string
		for _, f := range target.Fields {
			if v, ok := value(schema, f.Name, f.Type, f.DefaultValue != nil, o, id); ok {
				list = append(list, f.Name+":"+v)
			}
		}
		return "{" + strings.Join(list, ",") + "}", true
	}
	switch t.Name() {
	case "Int", "Float":
		return "1", true
	case "Boolean":
		return "true", true
	case "Date":
		return quote("2025-01-01"), true
	case "DateTime", "Time":
		return quote("2025-01-01T00:00:00Z"), true
	}
	return quote("x"), true
}

// documents puts fields together that are asked for at once.
func documents(operation string, list []way) (texts []string, fields int) {
	const most = 40
	groups := map[string][]way{}
	for _, w := range list {
		words := strings.Fields(w.group)
		slices.Sort(words[1:])
		key := strings.Join(slices.Compact(words), " ")
		groups[key] = append(groups[key], w)
	}
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		for part := range slices.Chunk(groups[group], most) {
			tree := &branch{}
			for _, w := range part {
				tree.add(w.steps)
			}
			texts = append(texts, operation+tree.String())
			fields += len(part)
		}
	}
	return texts, fields
}

// branch is a selection set.
type branch struct {
	names []string
	under map[string]*branch
}

func (b *branch) add(steps []string) {
	if len(steps) == 0 {
		return
	}
	if b.under == nil {
		b.under = map[string]*branch{}
	}
	if b.under[steps[0]] == nil {
		b.under[steps[0]] = &branch{}
		b.names = append(b.names, steps[0])
	}
	b.under[steps[0]].add(steps[1:])
}

func (b *branch) String() string {
	if len(b.names) == 0 {
		return ""
	}
	var s strings.Builder
	s.WriteByte('{')
	for i, name := range b.names {
		if i > 0 {
			s.WriteByte(' ')
		}
		s.WriteString(name + b.under[name].String())
	}
	s.WriteByte('}')
	return s.String()
}

// kinds are what an argument named id is taken for.
var idKinds = []string{"property", "user", "uuid", "hook"}

// asked lists the documents about an owner, in an order that is the same for all.
func (p *probed) asked(operation string, root *ast.Definition, o owner) (texts []string, fields int) {
	for _, id := range idKinds {
		if id == "user" && operation == "" {
			continue // which is how some mutations call it
		}
		list, _ := documents(operation, ways(p.api.Schema(), root, o, id))
		for _, text := range list {
			if id != idKinds[0] && !strings.Contains(text, "(id:") && !strings.Contains(text, ":{id:") && !strings.Contains(text, "customerId:") && !strings.Contains(text, "userId:") {
				continue
			}
			texts = append(texts, text)
		}
	}
	for _, text := range texts {
		fields += strings.Count(text, " ") + 1
	}
	return texts, fields
}

func TestNobodySeesWhatIsAnothers(t *testing.T) {
	p := newProbed(t)
	schema := p.api.Schema()
	shown := map[string]map[string]bool{}
	p.look(t, schema.Query, shown)
	before := p.states()
	p.change(t, schema.Mutation, before)
	for name, who := range p.probers {
		for _, mark := range who.shows {
			if !shown[name][mark] {
				t.Errorf("%s never sees %s, which is theirs to see: the probe proves nothing", name, mark)
			}
		}
	}
	t.Logf("%d fields probed", p.fields)
	if p.fields < 10_000 {
		t.Errorf("%d fields were probed, want 10,000 or more", p.fields)
	}
}

// look asks for everything there is.
func (p *probed) look(t *testing.T, root *ast.Definition, shown map[string]map[string]bool) {
	unknown, _ := p.asked("", root, owners["nobody"])
	n := 0
	for _, name := range slices.Sorted(maps.Keys(p.probers)) {
		who := p.probers[name]
		shown[name] = map[string]bool{}
		none := make([]string, len(unknown))
		for _, of := range []string{"ada", "bo", "cleo"} {
			texts, _ := p.asked("", root, owners[of])
			if len(texts) != len(unknown) {
				t.Fatalf("%d documents about %s, and %d about nobody", len(texts), of, len(unknown))
			}
			sees := slices.Contains(who.sees, of)
			for i, text := range texts {
				if n++; detector && n%10 != 0 && !sees {
					continue // other ones for each caller
				}
				body := p.probe(t, name, text)
				p.unmarked(t, name, who, text, body, shown[name])
				if sees {
					continue
				}
				if none[i] == "" {
					none[i] = p.probe(t, name, unknown[i])
				}
				if column.ReplaceAllString(body, "") != column.ReplaceAllString(none[i], "") {
					t.Errorf("%s can tell what is %s's from what is not there\nby   %s\ngets %s\nand  %s", name, of, text, body, none[i])
				}
			}
		}
	}
}

// column is where in a document an error is, which depends on how long a name is.
var column = regexp.MustCompile(`,"column":\d+`)

// probe asks one thing, which has to be answered.
func (p *probed) probe(t *testing.T, name, text string) string {
	p.fields += strings.Count(text, " ") + 1
	body := p.post(name, text, nil).Body.String()
	for _, fault := range []string{"KT-CT-500", "KT-CT-1188", "KT-CT-1606", `"inputPath":[]`, "too many large"} {
		if strings.Contains(body, fault) && !strings.Contains(text, "possibleErrors") {
			t.Fatalf("%s: the probe is refused or fails: %s\n%s", name, text, body)
		}
	}
	return body
}

// unmarked looks for marks of whom the caller may not see. What the question names
// itself is no news.
func (p *probed) unmarked(t *testing.T, name string, who prober, text, body string, shown map[string]bool) {
	for of, o := range owners {
		for _, mark := range o.marks {
			if !strings.Contains(body, mark) {
				continue
			}
			switch {
			case slices.Contains(who.sees, of):
				shown[mark] = true
			case !strings.Contains(text, strings.Trim(mark, `"`)):
				t.Errorf("%s sees %s of %s by %s: %s", name, mark, of, text, body)
			}
		}
	}
}

// states is what each customer sees of what is theirs.
func (p *probed) states() map[string]string {
	all := map[string]string{}
	for name, of := range map[string]string{"a customer": "ada", "another customer": "bo", "the other partner's customer": "cleo"} {
		texts, _ := documents("", ways(p.api.Schema(), p.api.Schema().Query, owners[of], "property"))
		var b strings.Builder
		for _, text := range texts {
			if strings.HasPrefix(text, "{me") || strings.HasPrefix(text, "{viewer") || strings.HasPrefix(text, "{property") {
				b.WriteString(p.post(name, text, nil).Body.String())
			}
		}
		all[of] = b.String()
	}
	return all
}

// change tries to change everything of whom the caller may not see: nothing of
// theirs is shown, and nothing of it has changed.
func (p *probed) change(t *testing.T, root *ast.Definition, before map[string]string) {
	tried := 0
	for _, name := range slices.Sorted(maps.Keys(p.probers)) {
		who := p.probers[name]
		for _, of := range []string{"ada", "bo", "cleo"} {
			if slices.Contains(who.sees, of) {
				continue
			}
			texts, fields := p.asked("mutation", root, owners[of])
			if detector {
				fields /= 10 // of the changes one in ten is sent
			}
			p.fields += fields
			for i, text := range texts {
				if tried++; detector && i%10 != tried%7 {
					continue
				}
				body := p.post(name, text, nil).Body.String()
				p.unmarked(t, name, who, text, body, map[string]bool{})
				if strings.Contains(body, "KT-CT-500") || strings.Contains(body, "KT-CT-1188") {
					t.Fatalf("%s: the probe is refused or fails: %s\n%s", name, text, body)
				}
			}
		}
		if !detector {
			p.unchanged(t, name, before)
		}
	}
	p.unchanged(t, "somebody", before)
	if tried < 100 {
		t.Errorf("%d changes were tried, want more", tried)
	}
}

func (p *probed) unchanged(t *testing.T, name string, before map[string]string) {
	t.Helper()
	for of, was := range p.states() {
		if was != before[of] {
			t.Fatalf("%s has changed something of %s", name, of)
		}
	}
}
