package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
)

// outcome is how a question ended.
type outcome string

const (
	well    outcome = "ok"
	differs outcome = "DIFFERS"
	unasked outcome = "not asked"
)

// notAsked is why a question could not be asked here: no difference, no proof.
type notAsked struct{ why string }

func (n *notAsked) Error() string { return n.why }

// report is what is printed: a line for each question, every word of it scrubbed.
type report struct {
	out   io.Writer
	scrub *scrubber
	since time.Time
	count map[outcome]int
}

func newReport(out io.Writer, s *scrubber) *report {
	return &report{out: out, scrub: s, since: time.Now(), count: map[outcome]int{}}
}

func (r *report) begin(nonce string) {
	r.line("smoke of LoongClaw at %s; what it makes has %s in its name, and so have its request ids\n", r.since.UTC().Format(time.RFC3339), idPrefix(nonce))
}

// took says how a question was answered.
func (r *report) took(q question, id string, took time.Duration, err error) outcome {
	how, want, seen := judge(err)
	r.count[how]++
	switch how {
	case well:
		r.line("%-10s%-36s  %-50s  %s", how, q.name, q.want, took.Round(time.Millisecond))
	case unasked:
		r.line("%-10s%-36s  %s", how, q.name, r.scrub.clean(seen))
	case differs:
		r.line("%-10s%-36s  %-50s  %s", how, q.name, q.want, took.Round(time.Millisecond))
		r.line("          expected: %s", r.scrub.clean(want))
		r.line("          seen:     %s", r.scrub.clean(seen))
		r.line("          request:  %s", id)
	}
	return how
}

// others are the questions that have no sense where there is no gateway.
func (r *report) others(n int) {
	r.count[unasked] += n
	r.line("%-10s%-36s  it needs: %s", unasked, "the other questions", reached)
}

// end says what there is to do, and how the program ends.
func (r *report) end(about, advice []string) int {
	for i := range about {
		about[i] = r.scrub.clean(about[i])
	}
	r.line("\n%d ok, %d differ, %d not asked, in %s; %s", r.count[well], r.count[differs], r.count[unasked],
		time.Since(r.since).Round(time.Second), strings.Join(about, "; "))
	for _, one := range advice {
		r.line("")
		for line := range strings.Lines(one) {
			r.line("%s", r.scrub.ours(strings.TrimRight(line, "\n")))
		}
	}
	if r.count[differs] > 0 {
		return exitDiffers
	}
	return exitWell
}

// whatToSend is said to the person alone: it is not part of what is sent.
func whatToSend(out io.Writer, file string, code int, advised bool) {
	what := "all of the above, from the line that begins with \"smoke of LoongClaw\""
	if file != "" {
		what = "the file " + file + ", which holds what stands above"
	}
	ask := "If anything puzzles you, send us"
	switch {
	case code == exitDiffers && advised:
		ask = "If that does not help, send us"
	case code == exitDiffers:
		ask = "What differs may be ours to mend. Send us"
	}
	_, _ = fmt.Fprintf(out, "\n%s %s:\nattach it to an issue, with what you deployed and how. Your token, your address and what looks like either\n"+
		"are not in it; read it all the same. The cause of an error stands in your log only, under the request's id: look\n"+
		"through those lines before you send them, too.\n", ask, what)
}

func (r *report) line(format string, args ...any) { _, _ = fmt.Fprintf(r.out, format+"\n", args...) }

// judge puts an error into what was expected and what was seen.
func judge(err error) (how outcome, want, seen string) {
	var (
		none     *notAsked
		other    *client.Difference
		unwanted *client.Unwanted
		refused  *client.Refused
	)
	switch {
	case err == nil:
		return well, "", ""
	case errors.As(err, &none):
		return unasked, "", none.why
	case errors.As(err, &other):
		where, _ := strings.CutSuffix(err.Error(), other.Error())
		return differs, where + other.Want, other.Seen
	case errors.As(err, &unwanted):
		return differs, fmt.Sprintf("%s: status %d", unwanted.Request, unwanted.Want), unwanted.Answer.Brief()
	case errors.As(err, &refused):
		return differs, "an event stream or a socket", refused.Answer.Brief()
	case errors.Is(err, context.DeadlineExceeded):
		return differs, "an answer in time", err.Error()
	}
	return differs, "an answer as the protocol has it", err.Error()
}
