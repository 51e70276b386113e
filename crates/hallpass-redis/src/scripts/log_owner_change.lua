return done(log(), 1)
