package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
)

// visit is one walk through all questions.
type visit struct {
	base     string
	nonce    string
	patience time.Duration
	sleep    time.Duration
	user     *client.Client // with the token
	nobody   *client.Client // without any
	talk     client.Visitor // in a session of its own

	id atomic.Value // string: the request id of the question that is being asked

	sessions []string          // that were made, or may have been
	notes    []string          // ids of memories
	files    []string          // paths
	said     said              // the first turn
	facts    map[string]string // of the deployment, for the report
	advice   []string          // what the owner may do about it
	here     string            // the version of these questions

	mu     sync.Mutex
	phases []string // of a container that started, as sockets were told
}

// said is a message and its answer.
type said struct{ session, message, answer, runID string }

func newVisit(base, token string, patience time.Duration) *visit {
	v := &visit{base: base, nonce: strings.ToLower(rand.Text()[:10]), patience: patience, facts: map[string]string{}}
	v.id.Store(idPrefix(v.nonce))
	transport := client.Transport()
	transport.Proxy = http.ProxyFromEnvironment // people who need one have set it
	web := &http.Client{Transport: &marked{transport, v}, CheckRedirect: client.Stay}
	v.user = &client.Client{Base: base, Token: token, HTTP: web}
	v.nobody = &client.Client{Base: base, HTTP: web}
	v.talk = client.Visitor{Client: v.user, Patience: patience, Session: v.session("tool"), Ledger: client.NewLedger()}
	return v
}

func idPrefix(nonce string) string { return "smoke-" + nonce }

// session names a session of this visit, which is deleted at the end.
func (v *visit) session(what string) string {
	name := "smoke-" + v.nonce + "-" + what
	v.sessions = append(v.sessions, name)
	return name
}

// marked gives each request the id of its question, so that it is found in the log,
// and bounds what is read: an address may be anybody's.
type marked struct {
	next http.RoundTripper
	v    *visit
}

const maxAnswer = 16 << 20

func (m *marked) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("X-Request-Id", m.v.id.Load().(string)) //nolint:forcetypeassert // only strings are stored
	res, err := m.next.RoundTrip(req)
	if err == nil && res.StatusCode != http.StatusSwitchingProtocols {
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(res.Body, maxAnswer), res.Body}
	}
	return res, err
}

// askAll asks one question after the other. What needs an answer that did not come
// is not asked; what tidies up is asked whatever happened, also after an interrupt.
func (v *visit) askAll(ctx context.Context, all []question, r *report) {
	bad := map[string]bool{}
	for i, q := range all {
		id := fmt.Sprintf("%s-%02d", idPrefix(v.nonce), i+1)
		v.id.Store(id)
		begin := time.Now()
		err := v.ask(ctx, q, bad)
		bad[q.name] = r.took(q, id, time.Since(begin), err) != well
		if q.name == reached && bad[reached] {
			r.others(len(all) - i - 1)
			return
		}
	}
}

func (v *visit) ask(ctx context.Context, q question, bad map[string]bool) error {
	if q.always {
		ctx = context.WithoutCancel(ctx)
	} else if ctx.Err() != nil {
		return &notAsked{"the time was over, or it was interrupted"}
	}
	for _, first := range q.after {
		if bad[first] {
			return &notAsked{"it needs: " + first}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, v.patience+q.longer)
	defer cancel()
	return q.ask(ctx, v)
}

// advise keeps what to do for the end of the report, once.
func (v *visit) advise(what string) {
	if !slices.Contains(v.advice, what) {
		v.advice = append(v.advice, what)
	}
}

// about is what a reader of the report must know of the deployment.
func (v *visit) about() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(v.facts)) {
		out = append(out, name+" "+v.facts[name])
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.phases) > 0 {
		out = append(out, "a container started: "+strings.Join(v.phases, ", "))
	}
	return out
}
