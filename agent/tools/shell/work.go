package shell

import (
	"context"
	"encoding/json"
	"fmt"
)

// Work is Run as a task of package worker: a job in JSON comes in, its result in
// JSON goes out. limits adds what cannot be written down.
func Work(limits Limits) func(ctx context.Context, input []byte) ([]byte, error) {
	return func(ctx context.Context, input []byte) ([]byte, error) {
		var job Job
		if err := json.Unmarshal(input, &job); err != nil {
			return nil, fmt.Errorf("shell: read a job: %w", err)
		}
		job.Limits.Adopts, job.Limits.Confine, job.Limits.Started = limits.Adopts, limits.Confine, limits.Started
		result, err := Run(ctx, job)
		if err != nil {
			return nil, err
		}
		return json.Marshal(result)
	}
}
