package session_test

import (
	"fmt"
	"time"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// A decision returns records; whoever asked makes them durable and applies them. A
// restart applies the same records and stands where this process stood.
func Example() {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	self := session.Owner{Instance: "a", Process: "a1"}
	var journal []record.Record // in place of a durable one
	s := session.New("demo", 1, chat.Session{})
	commit := func(records []record.Record) {
		for _, r := range records {
			journal = append(journal, r)
			if err := s.Apply(uint64(len(journal)), chat.At(now), r); err != nil {
				fmt.Println(err)
			}
		}
	}

	sent, err := s.Submit(session.Message{RunID: "run_1", MessageID: "msg_1", Content: "Hello"}, self, now)
	if err != nil {
		fmt.Println(err)
		return
	}
	commit(sent.Records)
	fmt.Println("its run starts at once:", sent.Starts)

	step := s.Next(session.Carrier{Owner: self}, now)
	fmt.Println("to be carried out:", step.Action == session.RunNow, step.RunID)

	done, err := s.Record(session.Progress{
		RunID: "run_1", Owner: self, Room: 1 << 20, Now: now, NewID: func(kind string) string { return kind + "_2" },
		Steps: []loop.Step{{Answer: &loop.AnswerStep{Round: 1, Answer: loop.Answer{Text: "Hello to you", Finish: chat.FinishStop}}}},
		End:   &session.Finished{Status: chat.RunDone},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	commit(done.Records)

	again := session.New("demo", 1, chat.Session{})
	for i, r := range journal {
		if err := again.Apply(uint64(i+1), chat.At(now), r); err != nil {
			fmt.Println(err)
		}
	}
	events, _ := again.Events(chat.Cursor{Epoch: 1}, chat.At(now))
	for _, e := range events {
		fmt.Printf("%s %q\n", e.Type, e.Text())
	}
	// Output:
	// its run starts at once: true
	// to be carried out: true run_1
	// message "Hello"
	// run_started ""
	// message_chunk "Hello to you"
	// message_complete "Hello to you"
	// run_finished ""
}
