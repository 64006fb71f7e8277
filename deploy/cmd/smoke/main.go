package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// How the program ends.
const (
	exitWell    = 0
	exitDiffers = 1
	exitUnasked = 2 // it could not begin
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdout)
	stop()
	os.Exit(code)
}

// tokenVariable holds the token: an argument would stand in the list of processes.
const tokenVariable = "SMOKE_TOKEN"

func run(ctx context.Context, args []string, getenv func(string) string, out io.Writer) int {
	f := flag.NewFlagSet("smoke", flag.ContinueOnError)
	f.SetOutput(out)
	address := f.String("address", "", "where the instance answers, such as https://ai.example.com")
	sleep := f.Duration("sleep", 0, "stay silent for so long, longer than SLEEP_AFTER, then see whether a Worker wakes")
	patience := f.Duration("patience", 45*time.Second, "how long an answer may take")
	within := f.Duration("within", 5*time.Minute, "when to stop asking, the silence not counted")
	folder := f.String("report", "", "the folder for the report's file; empty writes none")
	here := f.String("version", "", "the version of these questions")
	if err := f.Parse(args); err != nil {
		return exitUnasked
	}
	base, err := judgeAddress(*address)
	token := ""
	if err == nil {
		token, err = judgeToken(getenv)
	}
	if err != nil {
		_, _ = fmt.Fprintln(out, "smoke:", err)
		return exitUnasked
	}
	v := newVisit(base, token, *patience)
	v.sleep, v.here = *sleep, *here
	file, name := reportFile(out, *folder, time.Now())
	r := newReport(io.MultiWriter(out, file), newScrubber(base, token))
	r.begin(v.nonce)
	ctx, cancel := context.WithTimeout(ctx, *within+*sleep)
	defer cancel()
	v.askAll(ctx, questions(v), r)
	code := r.end(v.about(), v.advice)
	if err := file.Close(); err != nil {
		_, _ = fmt.Fprintln(out, "smoke: the report was not written whole:", err)
		name = ""
	}
	whatToSend(out, name, code, len(v.advice) > 0)
	return code
}

// reportFile makes the file that can be sent. Where it cannot be made the questions
// are asked all the same.
func reportFile(out io.Writer, folder string, now time.Time) (file io.WriteCloser, name string) {
	if folder == "" {
		return nowhere{io.Discard}, ""
	}
	name = filepath.Join(folder, "smoke-"+now.UTC().Format("20060102T150405Z")+".txt")
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // #nosec G304 -- a folder that the caller names
	if err != nil {
		_, _ = fmt.Fprintf(out, "smoke: no file for the report: %v\n", err)
		return nowhere{io.Discard}, ""
	}
	if full, err := filepath.Abs(name); err == nil {
		name = full
	}
	return f, name
}

// nowhere is a report that nobody keeps.
type nowhere struct{ io.Writer }

func (nowhere) Close() error { return nil }
