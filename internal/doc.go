// Package internal is the house. Its folders are the questions a doorman asks,
// in order, and a package imports from lower floors only (floors_test.go):
//
//	5  cmd/wattgate                                      flags, exit codes
//	4  app                                               who gets whom
//	3  server + auth customer support   store + sqlite postgres storetest
//	2  authn  authorize  issuance  registry  session
//	   supply  usage  intake  audit  webhook             decisions
//	1  dialect  authz  dpop  token  secret  interval  meterfile  throttle
//	0  domain  oauth  web                                words; web only embeds
//
// The way of one request, a partner that acts for a customer (E17):
//
//	server/serve.go          one line in the log, one request identifier
//	server/auth/routes.go    GET /v1/auth/impersonate and its guard
//	dialect/bearer.go        the token, with or without a scheme
//	authn/token.go           who is asking, and do they still stand
//	token/verify.go          did we sign this
//	dialect/energyzero.go    whom it is about
//	issuance/impersonate.go  which token, for whom, how long
//	authz/authz.go           may they
//	store/sqlite/users.go    the customer, if it is the partner's
//	store/sqlite/audit.go    the act, durable before the answer
//	token/sign.go            the token
//	dialect/energyzero.go    how it is said
//
// The way of one consent, of a customer to an application (RFC 6749 §4.1):
//
//	server/auth/authorize.go     GET /oauth2/authorize
//	dialect/authorize.go         what is asked
//	authorize/check.go           may it be asked, and where the answer goes
//	authorize/wait.go            a challenge, under which it waits
//	server/support/login.go      GET /login, POST /login
//	session/login.go             who is at the browser
//	server/support/consent.go    GET /consent, POST /consent
//	authorize/decide.go          what the customer allows: a consent and a code
//	server/auth/code.go          POST /oauth2/token with the code
//	authorize/redeem.go          once, and with the right verifier
//	issuance/user.go             which token, which ID token
//
// The way of one log-in, of an account user at the customer API (K16):
//
//	server/customer/tokens.go    obtainKrakenToken
//	issuance/login.go            by what, for how long
//	session/prove.go             who is it
//	store/sqlite/logins.go       a log-in, if all of that is still so
//	token/sign.go                the token
//	authn/login.go               what it is worth, with the next request
//
// The way of one read, a third party's half-hours (K21):
//
//	server/customer/routes.go        POST /v1/graphql/
//	server/customer/transport.go     the query
//	server/customer/prepare.go       is it a document, and not more than we give
//	server/customer/guard.go         may they ask for this field
//	server/customer/measurements.go  what they ask for
//	server/customer/plan.go          how it will be written
//	usage/page.go                    which intervals
//	store/sqlite/days.go             the packed days
//	interval/pack.go                 what is in them
//	usage/block.go                   those of one page
//	server/customer/append.go        the bytes
//
// The way of one move, a customer's into a property (E5):
//
//	server/customer/customers.go     moveIn
//	supply/move.go                   may they; from which instant, and is it free
//	store/sqlite/onboarding.go       the period and its entry, in one transaction
//	usage/stays.go                   what can be read of it from then on, and by whom
//
// The way of one file out, a year of a supply point:
//
//	server/customer/export.go       GET /v1/measurements/{file}
//	server/customer/exportasked.go  which format, which days
//	usage/export.go                 may they; which days, channel after channel
//	store/sqlite/days.go            the packed days, as they were at the start
//	meterfile/writer.go             the bytes of the format
//
// The way of what is new, to whoever wants to be told:
//
//	intake/apply.go                  readings arrive
//	store/sqlite/webhooks.go         noted in the same transaction, where anybody listens
//	app/news.go                      something is new: who waits looks again
//	server/customer/socket_feed.go   a subscription: what follows its cursor
//	webhook/deliver.go               a web hook: which endpoints, and did it arrive
//	usage/news.go                    may they read it, now
//	webhook/event.go                 what it says, signed
//	app/webhooks.go                  over HTTP, to public addresses only
package internal
