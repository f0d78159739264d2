package app

import (
	"context"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server/customer"
)

// The greatest limits of a GraphQL document.
const (
	maxComplexity = 100_000
	maxNodes      = 1_000_000
)

// number is a setting of the GraphQL API that is a whole number.
type number struct {
	name, text string
	from, to   int
}

func (c *Config) numbers() []number {
	return []number{
		{"graphql-complexity", c.Complexity, 1, maxComplexity},
		{"graphql-nodes", c.Nodes, 1, maxNodes},
		{"graphql-points-user", c.PointsUser, 0, customer.MaxPoints},
		{"graphql-points-organisation", c.PointsOrganisation, 0, customer.MaxPoints},
		{"graphql-points-application", c.PointsApplication, 0, customer.MaxPoints},
	}
}

// wrongGraphQL reports what is wrong with the limits of the GraphQL API.
func (c *Config) wrongGraphQL(wrong func(name, format string, args ...any)) {
	for _, n := range c.numbers() {
		if v, err := strconv.Atoi(n.text); err != nil || v < n.from || v > n.to {
			wrong(n.name, "%q is not a whole number from %d to %d", n.text, n.from, n.to)
		}
	}
	switch customer.Introspection(c.Introspection) {
	case customer.IntrospectionPublic, customer.IntrospectionAuthenticated, customer.IntrospectionOff:
	default:
		wrong("graphql-introspection", "%q is none of public, authenticated, off", c.Introspection)
	}
}

// graphQL returns the limits, as Validate has seen them.
func (c *Config) graphQL() (customer.Limits, *customer.Points) {
	var v []int
	for _, n := range c.numbers() {
		i, _ := strconv.Atoi(n.text)
		v = append(v, i)
	}
	return customer.Limits{Complexity: v[0], Nodes: v[1]}, &customer.Points{User: v[2], Organisation: v[3], Application: v[4]}
}

// build says what program this is: its version, and the revision that it was
// built from; each is empty where nobody has noted it.
func build() (version, revision string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			revision = s.Value
		}
	}
	return info.Main.Version, revision
}

// What the verbs about trusted documents take.
type (
	// DocumentAdd is a GraphQL document that an application is to trust.
	DocumentAdd struct {
		ID   string `json:"id"`
		Text string `json:"document"`
	}
	// DocumentNamed names one by its hash.
	DocumentNamed struct {
		ID   string `json:"id"`
		Hash string `json:"hash"`
	}
	// DocumentsOnly says whether an application runs no other documents.
	DocumentsOnly struct {
		ID   string `json:"id"`
		Only bool   `json:"only"`
	}
)

// DocumentView is a trusted document.
type DocumentView struct {
	Hash  string    `json:"sha256Hash"`
	Text  string    `json:"document"`
	Added time.Time `json:"added"`
}

func documentView(d domain.Document) DocumentView {
	return DocumentView{Hash: d.Digest.String(), Text: d.Text, Added: d.AddedAt}
}

// addDocument adds a document that the schema has an answer to.
func addDocument(ctx context.Context, a *App, in DocumentAdd) (DocumentView, error) {
	app, err := a.application(ctx, in.ID)
	if err != nil {
		return DocumentView{}, err
	}
	limits, _ := a.Config.graphQL()
	if err := customer.CheckDocument(in.Text, limits); err != nil {
		return DocumentView{}, err
	}
	d, err := a.Registry.AddDocument(ctx, by(), app.ID, in.Text)
	return documentView(d), err
}

func listDocuments(ctx context.Context, a *App, in Named) ([]DocumentView, error) {
	app, err := a.application(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	list, err := a.Registry.Store.Documents(ctx, app.Partner, app.ID)
	return views(list, documentView), err
}

func removeDocument(ctx context.Context, a *App, in DocumentNamed) ([]DocumentView, error) {
	app, err := a.application(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	digest, err := domain.ParseDigest(in.Hash)
	if err != nil {
		return nil, err
	}
	if err := a.Registry.RemoveDocument(ctx, by(), app.ID, digest); err != nil {
		return nil, err
	}
	return listDocuments(ctx, a, Named{string(app.ID)})
}

// trustDocuments says whether an application runs nothing but what it trusts.
func trustDocuments(ctx context.Context, a *App, in DocumentsOnly) (ApplicationView, error) {
	app, err := a.application(ctx, in.ID)
	if err != nil {
		return ApplicationView{}, err
	}
	if err := a.Registry.SetTrustedOnly(ctx, by(), app.ID, in.Only); err != nil {
		return ApplicationView{}, err
	}
	return showApp(ctx, a, Named{string(app.ID)})
}
