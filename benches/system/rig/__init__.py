"""The test rig: everything a suite needs that is not the thing it measures."""
