package main

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"
)

const (
	// A node that ends leaves its address in use for a moment.
	bindPatience = 5 * time.Second
	bindPause    = 50 * time.Millisecond

	joinPause = 200 * time.Millisecond

	// The farewell is repeated at each gossip until it was sent to enough members: some ticks.
	leavePatience = 5 * time.Second
)

// settings are a profile of the library, and what is chosen otherwise. Zero leaves the profile's.
type settings struct {
	profile          string
	probeInterval    time.Duration
	gossipInterval   time.Duration
	gossipNodes      int
	pushPullInterval time.Duration
}

func (s settings) config() (*memberlist.Config, error) {
	var config *memberlist.Config
	switch s.profile {
	case "lan":
		config = memberlist.DefaultLANConfig()
	case "local":
		config = memberlist.DefaultLocalConfig()
	case "wan":
		config = memberlist.DefaultWANConfig()
	default:
		return nil, fmt.Errorf("unknown profile: %q", s.profile)
	}
	if s.probeInterval > 0 {
		config.ProbeInterval = s.probeInterval
	}
	if s.gossipInterval > 0 {
		config.GossipInterval = s.gossipInterval
	}
	if s.gossipNodes > 0 {
		config.GossipNodes = s.gossipNodes
	}
	if s.pushPullInterval > 0 {
		config.PushPullInterval = s.pushPullInterval
	}
	// Not even formatted: the library's logger knows io.Discard.
	config.LogOutput = io.Discard
	return config, nil
}

// A specification is one node of a request to start.
type specification struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	Value   string `json:"value"`
}

// A node is one member that runs in this host.
type node struct {
	list  *memberlist.Memberlist
	view  *view
	value *value
	ended chan struct{}
}

func startNode(wanted specification, seeds []string, chosen settings, kept *book) (*node, error) {
	config, err := chosen.config()
	if err != nil {
		return nil, err
	}
	address, port, err := splitAddress(wanted.Address)
	if err != nil {
		return nil, err
	}
	started := &node{view: kept.open(wanted.Name), value: &value{}, ended: make(chan struct{})}
	started.value.set(wanted.Value)
	config.Name = wanted.Name
	config.BindAddr, config.BindPort = address, port
	config.AdvertiseAddr, config.AdvertisePort = address, port
	config.Delegate = started.value
	config.Events = started.view
	if started.list, err = create(config); err != nil {
		started.view.close()
		return nil, err
	}
	if others := without(seeds, wanted.Address); len(others) > 0 {
		go started.join(others)
	}
	return started, nil
}

func splitAddress(text string) (string, int, error) {
	address, digits, err := net.SplitHostPort(text)
	if err != nil {
		return "", 0, err
	}
	port, err := strconv.Atoi(digits)
	return address, port, err
}

func without(seeds []string, own string) []string {
	var others []string
	for _, each := range seeds {
		if each != own {
			others = append(others, each)
		}
	}
	return others
}

func create(config *memberlist.Config) (*memberlist.Memberlist, error) {
	deadline := time.Now().Add(bindPatience)
	for {
		list, err := memberlist.Create(config)
		if err == nil {
			return list, nil
		}
		if !strings.Contains(err.Error(), "address already in use") || time.Now().After(deadline) {
			return nil, err
		}
		time.Sleep(bindPause)
	}
}

func (n *node) join(seeds []string) {
	for {
		select {
		case <-n.ended:
			return
		default:
		}
		if _, err := n.list.Join(seeds); err == nil {
			return
		}
		select {
		case <-n.ended:
			return
		case <-time.After(joinPause):
		}
	}
}

// update changes the value. The library has taken it over, and queued the news, when this returns.
//
// UpdateNode would then wait until the news was sent as often as it ever will be. Its error says no
// more than that this wait was cut short, so it is none.
func (n *node) update(text string) error {
	if len(text) > memberlist.MetaMaxSize {
		return fmt.Errorf("a value has at most %d bytes", memberlist.MetaMaxSize)
	}
	n.value.set(text)
	_ = n.list.UpdateNode(time.Nanosecond)
	return nil
}

// crash ends the node. Shutdown alone tells nobody.
func (n *node) crash() {
	close(n.ended)
	n.view.close()
	_ = n.list.Shutdown()
}

// leave says farewell and ends the node; it returns before that is done.
func (n *node) leave() {
	close(n.ended)
	n.view.close()
	go func() {
		_ = n.list.Leave(leavePatience)
		_ = n.list.Shutdown()
	}()
}

// A value is the metadata of a node, as the library asks for it.
type value struct {
	text atomic.Value
}

func (v *value) set(text string) {
	v.text.Store(text)
}

// NodeMeta is part of memberlist.Delegate.
func (v *value) NodeMeta(limit int) []byte {
	text := v.text.Load().(string)
	if len(text) > limit {
		text = text[:limit]
	}
	return []byte(text)
}

// NotifyMsg is part of memberlist.Delegate; no messages of users are sent.
func (v *value) NotifyMsg([]byte) {}

// GetBroadcasts is part of memberlist.Delegate.
func (v *value) GetBroadcasts(overhead, limit int) [][]byte { return nil }

// LocalState is part of memberlist.Delegate.
func (v *value) LocalState(join bool) []byte { return nil }

// MergeRemoteState is part of memberlist.Delegate.
func (v *value) MergeRemoteState(buf []byte, join bool) {}
