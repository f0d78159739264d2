package customer

import (
	"context"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"

	"github.com/wattgate/wattgate/internal/domain"
)

// Documents finds the documents that applications trust.
type Documents interface {
	// TrustedDocument returns the text of a document of an application of the
	// partner, by its SHA-256 digest.
	TrustedDocument(ctx context.Context, partner domain.PartnerID, client domain.ClientID, digest domain.Digest) (string, error)
}

// persisted names a document that an application has sent before: what one has
// sent is nobody else's, and tells nobody anything.
type persisted struct {
	partner domain.PartnerID
	client  domain.ClientID
	digest  domain.Digest
}

// persistedBytes is how much text is kept of documents that were sent before.
const persistedBytes = 16 << 20

// The refusals of a document that is named by its digest, or has to be trusted.
var (
	errNoSuchDocument = &hidden{noSuchDocument, &domain.Error{Kind: domain.NotFound, Public: "no document of this hash is kept"}}
	errUntrusted      = &hidden{untrusted, &domain.Error{Kind: domain.Forbidden, Public: "the document is not trusted"}}
)

// find completes the parameters with the text of a document that is named by its
// digest, as Apollo's clients do it (extensions.persistedQuery): one that the
// application trusts, or that it has sent before. Of an application that runs
// only what it trusts, it refuses everything else.
func (a *API) find(ctx context.Context, who *asker, params *graphql.RawParams) error {
	digest, named, err := digestOf(params)
	if err != nil {
		return err
	}
	switch only := who.err == nil && who.caller.TrustedOnly; {
	case only:
		if !named {
			digest = domain.DigestOf(params.Query)
		}
		text, err := a.trusted(ctx, who.caller, digest)
		if notFound(err) {
			return errUntrusted
		}
		params.Query = text
		return err
	case !named || params.Query != "":
		return nil
	case who.err != nil:
		return errNoSuchDocument
	}
	text, err := a.trusted(ctx, who.caller, digest)
	if notFound(err) {
		sent, ok := a.persisted.get(persisted{who.caller.Partner, who.caller.Client, digest})
		if !ok {
			return errNoSuchDocument
		}
		text, err = sent, nil
	}
	params.Query = text
	return err
}

func (a *API) trusted(ctx context.Context, caller domain.Caller, digest domain.Digest) (string, error) {
	if a.Documents == nil {
		return "", &domain.Error{Kind: domain.NotFound, Public: "there are no trusted documents"}
	}
	return a.Documents.TrustedDocument(ctx, caller.Partner, caller.Client, digest)
}

// keep remembers a document that was sent with its digest, once it has proven to
// be one.
func (a *API) keep(who *asker, params *graphql.RawParams) {
	if digest, named, err := digestOf(params); named && err == nil && who.err == nil && !who.caller.TrustedOnly {
		a.persisted.put(persisted{who.caller.Partner, who.caller.Client, digest}, params.Query, len(params.Query)+200)
	}
}

// digestOf reads the digest that a request names, and compares it with the text
// that it brings.
func digestOf(params *graphql.RawParams) (digest domain.Digest, named bool, err error) {
	value, named := params.Extensions["persistedQuery"]
	if !named || value == nil {
		return digest, false, nil
	}
	wrong := func(sentence string) error { return &tooMuch{invalidInput, "persistedQuery " + sentence} }
	fields, ok := value.(map[string]any)
	if !ok {
		return digest, true, wrong("must be an object")
	}
	if version, ok := fields["version"].(json.Number); !ok || version != "1" {
		return digest, true, wrong("must be of version 1")
	}
	text, _ := fields["sha256Hash"].(string)
	if digest, err = domain.ParseDigest(text); err != nil {
		return digest, true, wrong("must have the SHA-256 digest of the document as sha256Hash, in hexadecimal")
	}
	if params.Query != "" && domain.DigestOf(params.Query) != digest {
		return digest, true, wrong("has the hash of another document")
	}
	return digest, true, nil
}
