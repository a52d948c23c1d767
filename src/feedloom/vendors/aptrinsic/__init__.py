"""Gainsight PX, formerly Aptrinsic: product analytics and in-app engagements."""
