package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"

	"github.com/wattgate/wattgate/bench/crowd"
	"github.com/wattgate/wattgate/bench/load"
)

// The targets with a crowd, and of the other doors.
const (
	targetCrowdS     = 0.95
	targetCrowdLoss  = 0.05 // of s, from the smallest to the largest crowd
	targetActS       = 0.75
	targetOther      = 20_000 // answers a second
	targetP99        = 3      // times the bare signing server's, at 64 connections
	targetCrowdedCPU = 0.045
)

// variety is how many customers are asked for in turns.
const variety = 4096

// installed makes a data folder of a demo with a crowd, calls do, and removes it.
func installed(ctx context.Context, binary string, c crowd.Crowd, do func(data string) error) error {
	data, err := os.MkdirTemp("", "wattgate-bench-crowd-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	demo, err := startOurs(ctx, binary, "EdDSA", data)
	if err != nil {
		return err
	}
	demo.stop()
	if err := crowd.Fill(ctx, data, demo.env["PARTNER_CLIENT_ID"], demo.env["CUSTOMER_USER_ID"], c); err != nil {
		return err
	}
	return do(data)
}

// busyOnly is the plan with the busy numbers of connections.
func (p plan) busyOnly() plan {
	p.Connections = slices.DeleteFunc(slices.Clone(p.Connections), func(n int) bool { return n < busy })
	return p
}

// crowded measures issuance again with many applications.
func crowded(ctx context.Context, p plan, o *once, show func(table) error) error {
	p = p.busyOnly()
	if len(p.Connections) == 0 {
		return nil
	}
	for _, n := range p.Crowds {
		for _, algorithm := range p.Algorithms {
			err := installed(ctx, p.Binary, crowd.Crowd{Applications: n}, func(data string) error {
				t, err := measure(ctx, p, algorithm, data, o)
				if err != nil {
					return err
				}
				t.Applications = n
				return show(t)
			})
			if err != nil {
				return fmt.Errorf("%d applications, %s: %w", n, algorithm, err)
			}
		}
	}
	return nil
}

// doors measures impersonation, introspection and the keys.
func doors(ctx context.Context, p plan, show func(table) error) error {
	p = p.busyOnly()
	if p.Customers == 0 || len(p.Connections) == 0 {
		return nil
	}
	return installed(ctx, p.Binary, crowd.Crowd{Applications: 10_000, Customers: p.Customers}, func(data string) error {
		ours, err := startOurs(ctx, p.Binary, "EdDSA", data)
		if err != nil {
			return err
		}
		defer ours.stop()
		return errors.Join(impersonation(ctx, p, ours, show), others(ctx, p, ours, show))
	})
}

// impersonation beside a bare server that signs the same bytes.
func impersonation(ctx context.Context, p plan, ours *process, show func(table) error) error {
	target, err := acting(ctx, ours, p.Customers)
	if err != nil {
		return err
	}
	door := *ours
	door.Target = target
	shape, err := learn(ctx, target, "EdDSA")
	if err != nil {
		return err
	}
	shape.Get = true
	signing, err := startBare(ctx, &shape, target.Request)
	if err != nil {
		return err
	}
	defer signing.stop()
	t, err := rounds(ctx, p, nil, signing, &door)
	if err != nil {
		return err
	}
	t.Door = fmt.Sprintf("impersonation among %d customers, EdDSA, its entry in the audit log durable", p.Customers)
	return show(t)
}

// acting is the request of E17, for many customers, with a fresh token.
func acting(ctx context.Context, ours *process, customers int) (load.Target, error) {
	token, err := accessToken(ctx, ours.Target)
	if err != nil {
		return load.Target{}, err
	}
	at, address, err := authHost(ours.env)
	if err != nil {
		return load.Target{}, err
	}
	target := load.Target{Address: address}
	for range variety {
		target.Others = append(target.Others, fmt.Appendf(nil,
			"GET %s/v1/auth/impersonate?user_id=%s HTTP/1.1\r\nHost: %s\r\nAccept: application/json\r\nAuthorization: Bearer %s\r\n\r\n",
			at.Path, crowd.Customer(rand.IntN(customers)), at.Host, token))
	}
	target.Request = target.Others[0]
	return target, nil
}

func accessToken(ctx context.Context, target load.Target) (string, error) {
	_, body, err := ask(ctx, target)
	if err != nil {
		return "", err
	}
	var answer struct {
		Token string `json:"access_token"`
	}
	err = json.Unmarshal(body, &answer)
	return answer.Token, err
}

// others are the doors at which nothing is signed, beside the bare server that
// does not sign either.
func others(ctx context.Context, p plan, ours *process, show func(table) error) error {
	token, err := accessToken(ctx, ours.Target)
	if err != nil {
		return err
	}
	at, address, err := authHost(ours.env)
	if err != nil {
		return err
	}
	plain, err := startBare(ctx, nil, ours.Request)
	if err != nil {
		return err
	}
	defer plain.stop()
	form := "client_id=" + url.QueryEscape(ours.env["PARTNER_CLIENT_ID"]) + "&client_secret=" +
		url.QueryEscape(ours.env["PARTNER_CLIENT_SECRET"]) + "&token=" + token
	for _, d := range []struct {
		name, holds string
		request     []byte
	}{
		{"introspection", `"active":true`, fmt.Appendf(nil, "POST %s/oauth2/introspect HTTP/1.1\r\nHost: %s\r\n"+
			"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", at.Path, at.Host, len(form), form)},
		{"the keys (JWKS)", `"keys":[`, fmt.Appendf(nil, "GET %s/.well-known/jwks.json HTTP/1.1\r\nHost: %s\r\n\r\n", at.Path, at.Host)},
	} {
		door := *ours
		door.Target = load.Target{Address: address, Request: d.request, Check: func(status int, body []byte) error {
			if status != 200 || !bytes.Contains(body, []byte(d.holds)) {
				return fmt.Errorf("%s: got status %d: %.200s", d.name, status, body)
			}
			return nil
		}}
		t, err := rounds(ctx, p, plain, nil, &door)
		if err != nil {
			return err
		}
		t.Door = d.name
		if err := show(t); err != nil {
			return err
		}
	}
	return nil
}

// judgeCrowd compares a table of a crowd or of another door with its targets.
func judgeCrowd(all []table, t table, add func(figure string, got float64, target string, reached bool)) {
	for i, row := range t.Rows {
		at := fmt.Sprintf("%s at %d", t.title(), row.Connections)
		switch {
		case t.Door != "" && row.S.Median > 0:
			add("s "+at, row.S.Median, fmt.Sprintf(">= %g", targetActS), row.S.Median >= targetActS)
		case t.Door != "":
			add("answers/s "+at, row.Our.Rate.Median, fmt.Sprintf(">= %d", targetOther), row.Our.Rate.Median >= targetOther)
		default:
			small := all[slices.IndexFunc(all, func(o table) bool { return o.Applications > 0 && o.Algorithm == t.Algorithm })]
			if small.Applications == t.Applications {
				add("s "+at, row.S.Median, fmt.Sprintf(">= %g", targetCrowdS), row.S.Median >= targetCrowdS)
			} else {
				kept := row.S.Median / small.Rows[i].S.Median
				add("s kept "+at, kept, fmt.Sprintf(">= %g", 1-targetCrowdLoss), kept >= 1-targetCrowdLoss)
			}
			if t.Algorithm == "EdDSA" && row.Our.CPU.Min >= 0 {
				add("CPU s per 1,000 "+at, row.Our.CPU.Median, fmt.Sprintf("<= %g", targetCrowdedCPU), row.Our.CPU.Median <= targetCrowdedCPU)
			}
			if row.Connections == 64 {
				times := row.Our.P99.Median / row.RSign.P99.Median
				add("p99 over the bare one's "+at, times, fmt.Sprintf("< %d", targetP99), times < targetP99)
			}
		}
	}
}
