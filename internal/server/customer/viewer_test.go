package customer_test

import (
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
)

func TestTheViewerInFull(t *testing.T) {
	w := newWorld(t)
	const query = `{viewer{__typename id number givenName familyName fullName email liveSecretKey permissions{permission}
		accounts{__typename number ...on Account{properties{id label}} ...on AccountType{property(id:"prop_ada"){id}}}}}`
	want := `{"viewer":{"__typename":"AccountUserType","id":"0c1a3b5e-7f20-4a63-9a51-6f0c2d9be714","number":"C-Ada","givenName":"Ada","familyName":"van Dam",` +
		`"fullName":"Ada van Dam","email":"ada@example.org","liveSecretKey":null,` +
		`"permissions":[{"permission":"CAN_QUERY_PROPERTY"},{"permission":"CAN_VIEW_DETAILED_USAGE"},{"permission":"CAN_VIEW_PERSONAL_DATA"}],` +
		`"accounts":[{"__typename":"Account","number":"A-ADA","properties":[{"id":"prop_ada","label":"Home of Ada"}],"property":{"id":"prop_ada"}}]}}`
	if got := w.one(t, "ada", query, nil); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestWhoIsNoViewer(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct{ token, query, want string }{
		"a third party":      {"third-party", `{viewer{id}}`, `"data":{"viewer":null}`},
		"a partner":          {"partner", `{viewer{id}}`, `"data":{"viewer":null}`},
		"nobody known":       {"", `{viewer{id}}`, `"data":{"viewer":null}`},
		"no personal data":   {"narrowed", `{viewer{number email accounts{number}}}`, `"data":{"viewer":{"number":"C-Ada","email":null,"accounts":[{"number":"A-ADA"}]}}`},
		"nobody has agreed":  {"consented-ada", `{viewer{number}}`, `"data":{"viewer":null}`},
		"applications of it": {"third-party", `{authorizedApplications{name}}`, `"data":{"authorizedApplications":null}`},
	} {
		out := w.post(c.token, c.query, nil).Body.String()
		code := "KT-CT-1111"
		if c.token == "" {
			code = "KT-CT-1112"
		}
		if !strings.Contains(out, c.want) || !strings.Contains(out, code) {
			t.Errorf("%s: %s, want %s and %s", name, out, c.want, code)
		}
	}
}

func TestTheViewerByConsent(t *testing.T) {
	v := newVillage(t)
	v.consent(t, "app_agreed", ada, func(c *domain.Consent) { c.Permissions = domain.PermissionSet(domain.CanQueryProperty) })
	if got, want := v.query("personal-ada", `{viewer{number fullName email accounts{number}}}`), `{"data":{"viewer":{"number":"C-Ada","fullName":null,"email":null,"accounts":[{"number":"A-ADA"}]}}}`; got != want {
		t.Errorf("a consent for the property alone: %s, want %s", got, want)
	}
	v.consent(t, "app_agreed", ada, nil)
	if got, want := v.query("personal-ada", `{viewer{fullName}}`), `{"data":{"viewer":{"fullName":"Ada van Dam"}}}`; got != want {
		t.Errorf("a consent for all: %s, want %s", got, want)
	}
}

// Who may read is told as consents are: to the partner's own application all, to
// any other whether it may itself.
func TestAuthorizedApplications(t *testing.T) {
	v := newVillage(t)
	v.consent(t, "app_agreed", ada, nil)
	v.consent(t, "app_other", ada, func(c *domain.Consent) { c.Account = "A-ADA" })
	v.consent(t, "app_watt", cleo, nil)
	v.consent(t, "app_bos", bo, func(c *domain.Consent) { c.ValidUntil = now })
	const agreed, other = `{"name":"app_agreed","clientId":"app_agreed"}`, `{"name":"app_other","clientId":"app_other"}`
	for name, c := range map[string]struct{ token, want string }{
		"the customer at the partner's own": {"own-ada", "[" + agreed + "," + other + "]"},
		"the application that was allowed":  {"agreed-ada", "[" + agreed + "]"},
		"another that was":                  {"other-ada", "[" + other + "]"},
		"whoever acts as the customer":      {"acting-ada", "[" + agreed + "]"},
	} {
		got := v.query(c.token, `{viewer{authorizedApplications{name clientId}} authorizedApplications{name clientId} account(accountNumber:"A-ADA"){authorizedApplications{name clientId}}}`)
		want := `{"data":{"viewer":{"authorizedApplications":` + c.want + `},"authorizedApplications":` + c.want + `,"account":{"authorizedApplications":` + c.want + `}}}`
		if got != want {
			t.Errorf("%s: %s\nwant %s", name, got, want)
		}
	}
	if got := v.query("own-bo", `{viewer{authorizedApplications{name}} account(accountNumber:"A-ADA"){authorizedApplications{name}}}`); !strings.Contains(got, `"data":{"viewer":{"authorizedApplications":[]},"account":null}`) {
		t.Errorf("a neighbour, whose own consent is over: %s", got)
	}
	if got, want := v.query("partner", `{account(accountNumber:"A-ADA"){authorizedApplications{name}}}`), `{"data":{"account":{"authorizedApplications":[]}}}`; got != want {
		t.Errorf("the partner's application, which was allowed nothing itself: %s, want %s", got, want)
	}
}
