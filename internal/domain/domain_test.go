package domain_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/domain"
)

func invalid(err error) bool {
	e, ok := errors.AsType[*domain.Error](err)
	return ok && e.Kind == domain.Invalid && e.Public != ""
}

// TestIdentifiersReadBack draws identifiers of every kind and reads them again.
func TestIdentifiersReadBack(t *testing.T) {
	shape := regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	chance := rand.NewChaCha8([32]byte{7})
	for kind, c := range map[string]struct {
		prefix string
		draw   func() string
		parse  func(string) (string, error)
	}{
		"partner":  {"prt_", func() string { return string(domain.NewPartnerID(chance)) }, text(domain.ParsePartnerID)},
		"user":     {"usr_", func() string { return string(domain.NewUserID(chance)) }, text(domain.ParseUserID)},
		"client":   {"app_", func() string { return string(domain.NewClientID(chance)) }, text(domain.ParseClientID)},
		"property": {"prop_", func() string { return string(domain.NewPropertyID(chance)) }, text(domain.ParsePropertyID)},
		"secret":   {"sec_", func() string { return string(domain.NewSecretID(chance)) }, text(domain.ParseSecretID)},
		"account":  {"A-", func() string { return string(domain.NewAccountNumber(chance)) }, text(domain.ParseAccountNumber)},
	} {
		seen := map[string]bool{}
		for range 1000 {
			id := c.draw()
			if got, err := c.parse(id); err != nil || got != id || !shape.MatchString(id) || !strings.HasPrefix(id, c.prefix) || seen[id] {
				t.Fatalf("%s: %q reads back as %q, %v; drawn before: %t", kind, id, got, err, seen[id])
			}
			seen[id] = true
		}
		for _, wrong := range []string{"", c.prefix, "x" + c.draw(), c.draw()[1:], c.draw() + " ", c.draw() + "\n", c.draw() + "é", c.prefix + strings.Repeat("a", 65), c.prefix + "a/b", c.prefix + "a'b"} {
			if got, err := c.parse(wrong); got != "" || !invalid(err) {
				t.Errorf("%s: %q was read as %q, %v", kind, wrong, got, err)
			}
		}
	}
}

func text[T ~string](parse func(string) (T, error)) func(string) (string, error) {
	return func(s string) (string, error) {
		id, err := parse(s)
		return string(id), err
	}
}

func TestBothFormsOfAUser(t *testing.T) {
	const id = domain.UserID("usr_0c1a3b5e7f204a639a516f0c2d9be714")
	for name, c := range map[string]struct {
		text string
		want domain.UserID
	}{
		"usr_ and digits":       {string(id), id},
		"a UUID":                {"0c1a3b5e-7f20-4a63-9a51-6f0c2d9be714", id},
		"a UUID in capitals":    {"0C1A3B5E-7F20-4A63-9A51-6F0C2D9BE714", id},
		"digits in capitals":    {"usr_0C1A3B5E7F204A639A516F0C2D9BE714", id},
		"usr_ before a UUID":    {"usr_0c1a3b5e-7f20-4a63-9a51-6f0c2d9be714", ""},
		"digits alone":          {"0c1a3b5e7f204a639a516f0c2d9be714", ""},
		"a UUID in braces":      {"{0c1a3b5e-7f20-4a63-9a51-6f0c2d9be714}", ""},
		"dashes elsewhere":      {"0c1a3b5-e7f20-4a63-9a51-6f0c2d9be7144", ""},
		"one digit too few":     {"usr_0c1a3b5e7f204a639a516f0c2d9be71", ""},
		"no hexadecimal digits": {"usr_0c1a3b5e7f204a639a516f0c2d9be71g", ""},
	} {
		got, err := domain.ParseUserID(c.text)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: ParseUserID(%q) = %q, %v; want %q", name, c.text, got, err, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Byte().Draw(t, "seed")
		id := domain.NewUserID(rand.NewChaCha8([32]byte{seed}))
		uuid := id.UUID()
		if back, err := domain.ParseUserID(uuid); err != nil || back != id {
			t.Fatalf("%q is %q and reads back as %q, %v", id, uuid, back, err)
		}
		if uuid[14] != '4' || !strings.ContainsRune("89ab", rune(uuid[19])) {
			t.Fatalf("%q is not of version 4 (RFC 9562 §5.4)", uuid)
		}
	})
	if got := domain.UserID("").UUID(); got != "" {
		t.Errorf("the empty identifier has the UUID %q", got)
	}
}

func TestEntriesSortByTime(t *testing.T) {
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	var ids []string
	for i := range 100 {
		ids = append(ids, domain.NewEntryID(at.Add(time.Duration(i*i)*time.Microsecond), nil))
	}
	if slices.SortedFunc(slices.Values(ids), strings.Compare)[50] != ids[50] || !slices.IsSortedFunc(ids[1:], strings.Compare) {
		t.Errorf("the identifiers do not sort by time: %v", ids)
	}
}

// TestKinds goes through all kinds: none may be without a name, and the zero
// kind is ours.
func TestKinds(t *testing.T) {
	seen := map[string]bool{}
	for i := range domain.Kinds() {
		name := domain.Kind(i).String()
		if seen[name] || strings.HasPrefix(name, "kind ") {
			t.Errorf("kind %d has the name %q", i, name)
		}
		seen[name] = true
	}
	if got := domain.Kind(domain.Kinds()).String(); got != fmt.Sprintf("kind %d", domain.Kinds()) {
		t.Errorf("a kind that is none: got %q", got)
	}
	if (&domain.Error{}).Kind != domain.Internal || domain.Internal.String() != "internal" {
		t.Error("the zero kind is not Internal")
	}
}

func TestErrorText(t *testing.T) {
	cause := errors.New("cause")
	for name, c := range map[string]struct {
		err  *domain.Error
		want string
	}{
		"a sentence":           {&domain.Error{Public: "sentence"}, "sentence"},
		"a cause":              {&domain.Error{Err: cause}, "cause"},
		"a sentence and cause": {&domain.Error{Public: "sentence", Err: cause}, "sentence: cause"},
	} {
		if got := c.err.Error(); got != c.want || errors.Is(c.err, cause) != (c.err.Err != nil) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// TestThePermissions holds names, scopes and documented roles against the
// documents (K9, K14).
func TestThePermissions(t *testing.T) {
	want := map[string]string{
		"CAN_QUERY_PROPERTY": "query:property", "CAN_VIEW_DETAILED_USAGE": "view:detailed-usage", "CAN_VIEW_PERSONAL_DATA": "query:user-details",
		"CAN_IMPERSONATE": "impersonate:customer", "CAN_MANAGE_CUSTOMERS": "manage:customers", "CAN_SUBMIT_MEASUREMENTS": "submit:measurements",
		"CAN_MANAGE_WEBHOOKS": "manage:webhooks",
	}
	all := domain.AllPermissions()
	if all.Len() != len(want) || len(all.List()) != len(want) {
		t.Errorf("there are %v, want %d", all.Names(), len(want))
	}
	for name, scope := range want {
		p, err := domain.ParsePermission(name)
		back, ok := domain.PermissionOfScope(scope)
		if err != nil || !ok || back != p || p.String() != name || p.Scope() != scope {
			t.Errorf("%s: %v, %v, scope %q gives %v, %t", name, p, err, scope, back, ok)
		}
	}
	if back, err := domain.ParsePermissions(all.Names()); err != nil || back != all {
		t.Errorf("all permissions read back as %v, %v", back, err)
	}
	viewer := domain.DocumentedRoles()[0]
	if got := strings.Join(viewer.Permissions.Names(), " "); viewer.Name != domain.RoleThirdPartyViewer || got != "CAN_QUERY_PROPERTY CAN_VIEW_DETAILED_USAGE" {
		t.Errorf("%s holds %s, want exactly the two of step 12", viewer.Name, got)
	}
	for name, parse := range map[string]func() error{
		"a staff permission as an API's": func() error { _, err := domain.ParsePermission("OAUTH_MANAGER"); return err },
		"an API permission as staff's":   func() error { _, err := domain.ParseStaffPermissions([]string{"CAN_IMPERSONATE"}); return err },
		"an unknown audience":            func() error { _, err := domain.ParseAudiences([]string{"auth", "elsewhere"}); return err },
		"an unknown permission":          func() error { _, err := domain.ParsePermissions([]string{"can_impersonate"}); return err },
	} {
		if err := parse(); !invalid(err) {
			t.Errorf("%s: got %v, want an error of kind invalid", name, err)
		}
	}
	if got, err := domain.ParseAudiences(domain.AllAudiences().Names()); err != nil || got != domain.AllAudiences() {
		t.Errorf("all audiences read back as %v, %v", got.Names(), err)
	}
	if got, err := domain.ParseStaffPermissions([]string{"SUPPORT_VIEWER", "OAUTH_MANAGER"}); err != nil || strings.Join(got.Names(), " ") != "OAUTH_MANAGER SUPPORT_VIEWER" {
		t.Errorf("staff permissions read back as %v, %v", got.Names(), err)
	}
}

func TestDates(t *testing.T) {
	for text, ok := range map[string]bool{
		"2024-02-29": true, "2026-03-02": true, "1970-01-01": true, "1900-01-01": true,
		"2023-02-29": false, "2026-02-30": false, "2026-13-01": false, "2026-3-2": false, "20260302": false, "": false, "2026-03-02T00:00:00Z": false,
	} {
		got, err := domain.ParseDate(text)
		if ok && (err != nil || got.String() != text) || !ok && !invalid(err) {
			t.Errorf("ParseDate(%q) = %v, %v; want a date: %t", text, got, err, ok)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		d := domain.Date(rapid.Int32Range(-700_000, 2_900_000).Draw(t, "day"))
		year, month, day := d.Civil()
		if got := domain.NewDate(year, month, day); got != d || (d+1).Weekday() != (d.Weekday()+1)%7 {
			t.Fatalf("%d is %v and comes back as %d", d, d, got)
		}
		if year < 1 || year > 9999 {
			return
		}
		if back, err := domain.ParseDate(d.String()); err != nil || back != d {
			t.Fatalf("%v reads back as %v, %v", d, back, err)
		}
	})
}

func TestASecretLives(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		expires, retired time.Time
		want             bool
	}{
		"for ever":                  {time.Time{}, time.Time{}, true},
		"until it expires":          {now.Add(1), time.Time{}, true},
		"not at its expiry":         {now, time.Time{}, false},
		"until the overlap is over": {time.Time{}, now.Add(1), true},
		"not when it is retired":    {time.Time{}, now, false},
		"not after either":          {now.Add(1), now.Add(-1), false},
	} {
		s := domain.StoredSecret{ExpiresAt: c.expires, RetiredAt: c.retired}
		if got := s.Live(now); got != c.want {
			t.Errorf("%s: got %t, want %t", name, got, c.want)
		}
	}
}
