package rollout

import (
	"context"
	"fmt"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
)

// strangers looks whether the address answers those without a credential as it
// should. What was deployed takes a while to be everywhere.
func strangers(ctx context.Context, c *client.Client, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	stranger := client.Client{Base: c.Base, HTTP: c.HTTP}
	for _, one := range client.Open {
		for {
			err := one.Ask(ctx, &stranger)
			if err == nil {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("GET %s: %w: %s", one.Path, err, one.Name)
			case <-time.After(time.Second):
			}
		}
	}
	return nil
}
